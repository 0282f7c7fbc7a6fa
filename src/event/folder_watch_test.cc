#include "event/folder_watch.h"

#include <fstream>
#include <set>

#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"

namespace dropscore::event {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Not;

class FolderWatchTest : public ::testing::Test {
 protected:
  FolderWatchTest() : folder_(fs::temp_directory_path() / ("dropscore-" + random_id())) {
    fs::create_directories(folder_);
  }
  ~FolderWatchTest() override { fs::remove_all(folder_); }

  void write(const std::string& name) const { std::ofstream(folder_ / name) << "x"; }

  /// Everything that has happened so far: an event is there as soon as the call that caused it returns.
  void run() {
    for (int i = 0; i < 20; ++i) watch_.run_once(0ms);
  }

  fs::path folder_;
  std::multiset<std::string> files_;
  int missed_ = 0;
  FolderWatch watch_{folder_, {[this](const std::string& name) { files_.insert(name); }, [this] { ++missed_; }}};
};

TEST_F(FolderWatchTest, TellsOfFilesInEveryFolderButNotOfThoseThere) {
  fs::create_directories(folder_ / "a" / "b");
  write("a/b/old");
  watch_.start();
  write("x");
  write("a/y");
  write("a/b/z");
  write(".hidden");
  run();
  EXPECT_EQ(files_, (std::multiset<std::string>{"x", "a/y", "a/b/z"}));
}

TEST_F(FolderWatchTest, ANewFoldersFilesAreToldThoughTheyCameBeforeItsWatch) {
  watch_.start();
  fs::create_directories(folder_ / "a" / "b");
  write("a/b/x");
  fs::create_directories(folder_ / ".hidden");
  write(".hidden/x");
  run();
  EXPECT_EQ(files_, (std::multiset<std::string>{"a/b/x"}));
  write("a/b/x");
  run();
  EXPECT_EQ(files_.count("a/b/x"), 2U);
}

TEST_F(FolderWatchTest, ARenamedFolderIsWatchedUnderItsNewNameOnly) {
  fs::create_directories(folder_ / "a" / "b");
  write("a/b/x");
  watch_.start();
  fs::rename(folder_ / "a", folder_ / "c");
  write("c/b/y");
  run();
  EXPECT_THAT(files_, Contains("c/b/x"));
  EXPECT_THAT(files_, Contains("c/b/y"));
  EXPECT_THAT(files_, Not(Contains("a/b/y")));
  files_.clear();
  write("c/b/z");
  run();
  EXPECT_EQ(files_, (std::multiset<std::string>{"c/b/z"}));
}

TEST_F(FolderWatchTest, ALikeNamedFolderIsNotDroppedWithARenamedOne) {
  fs::create_directories(folder_ / "a");
  fs::create_directories(folder_ / "ab");
  watch_.start();
  fs::rename(folder_ / "a", folder_ / ".gone");
  run();
  write("ab/x");
  write(".gone/y");
  run();
  EXPECT_EQ(files_, (std::multiset<std::string>{"ab/x"}));
}

TEST_F(FolderWatchTest, LinksToFoldersAreNotWalked) {
  fs::create_directories(folder_ / ".elsewhere");
  write(".elsewhere/x");
  watch_.start();
  fs::create_directory_symlink(folder_ / ".elsewhere", folder_ / "link");
  run();
  write(".elsewhere/y");
  run();
  EXPECT_THAT(files_, Not(Contains(::testing::StartsWith("link/"))));
}

TEST_F(FolderWatchTest, AnOverflowIsToldAndTheWatchGoesOn) {
  std::size_t limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  if (limit == 0 || limit > 100'000) GTEST_SKIP() << "a queue of " << limit << " events is too long to fill";
  watch_.start();
  const std::string a = folder_ / "a";
  const std::string b = folder_ / "b";
  // Two files in turn, since equal events in a row count as one.
  for (std::size_t i = 0; i < limit + 10; ++i) {
    ::close(::open((i % 2 == 0 ? a : b).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  fs::create_directories(folder_ / "unseen");
  for (int i = 0; i < 1000 && missed_ == 0; ++i) watch_.run_once(0ms);
  EXPECT_EQ(missed_, 1);
  files_.clear();
  write("unseen/x");
  run();
  EXPECT_EQ(files_, (std::multiset<std::string>{"unseen/x"})) << "folders made meanwhile are watched, too";
}

}  // namespace
}  // namespace dropscore::event
