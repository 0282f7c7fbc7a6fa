#include "base/files.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/hash.h"

namespace dropscore {
namespace {

using std::filesystem::perms;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// A model's folder as another user's umask has left it. Root may everything, so the test becomes nobody for a while.
class AnothersFolder : public testing::Test {
 protected:
  AnothersFolder() {
    std::filesystem::create_directories(folder_);
    std::ofstream(file_) << "text";
    set(folder_, perms(0755));
  }
  ~AnothersFolder() override {
    become(0);
    set(folder_, perms(0755));
    std::filesystem::remove_all(folder_);
  }

  static void set(const std::filesystem::path& path, perms mode) { std::filesystem::permissions(path, mode); }
  static void become(uid_t user) {
    if (::getuid() == 0) ASSERT_EQ(::seteuid(user), 0);
  }
  std::string refusal() const {
    become(65534);
    const Result<std::string> read = read_file(file_, 100);
    become(0);
    return read ? "" : read.error().detail.text;
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("dropscore-files-" + random_id());
  std::filesystem::path file_ = folder_ / "model.json";
};

TEST_F(AnothersFolder, AFileThatMayNotBeReadIsNamedWithWhatLacks) {
  set(file_, perms(0200));
  EXPECT_THAT(refusal(), HasSubstr("cannot open " + file_.string() + ": Permission denied; user "));
  EXPECT_THAT(refusal(), HasSubstr(" lacks the right to read " + file_.string() + " (owner "));
  EXPECT_THAT(refusal(), EndsWith(", mode 0200): chmod a+r gives it"));
}

TEST_F(AnothersFolder, AFolderThatMayNotBeEnteredIsNamedBeforeWhatLiesInIt) {
  set(file_, perms(0200));
  set(folder_, perms(0600));
  EXPECT_THAT(refusal(), HasSubstr(" lacks the right to enter " + folder_.string() + " (owner "));
  EXPECT_THAT(refusal(), EndsWith(", mode 0600): chmod a+x gives it"));
}

TEST_F(AnothersFolder, AFolderThatMayNotBeWrittenInIsNamed) {
  set(folder_, perms(0555));
  for (const auto& name : {folder_ / "new", folder_ / "to" / "be" / "made"}) {
    become(65534);
    const Status written = write_file_atomically(name, "text");
    become(0);
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().detail.text,
                HasSubstr(" lacks the right to write in " + folder_.string() + " (owner "));
    EXPECT_THAT(written.error().customer.text, Not(HasSubstr(folder_.string())));
  }
}

TEST_F(AnothersFolder, AnotherFaultIsNoQuestionOfRights) {
  EXPECT_EQ(io_error("read", file_, EIO).value().detail.text, "cannot read " + file_.string() + ": Input/output error");
  EXPECT_EQ(refusal(), "");
}

}  // namespace
}  // namespace dropscore
