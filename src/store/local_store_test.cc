// What the local store promises beyond the contract of every store (tests/contract/).
#include "store/local_store.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/hash.h"
#include "store/local_metadata.h"

namespace dropscore::store {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class LocalStore : public ::testing::Test {
 protected:
  LocalStore() : folder_(fs::temp_directory_path() / ("dropscore-" + random_id())) { reopen(); }
  ~LocalStore() override { fs::remove_all(folder_); }

  void reopen() { store_ = open_local_store(folder_).value(); }

  /// As another program writes: in place, without a rename.
  void scribble(const std::string& name, std::string_view bytes) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::set<std::string> names() const {
    std::set<std::string> found;
    EXPECT_TRUE(store_->list([&](const BlobInfo& info) { return found.insert(info.name), true; }));
    return found;
  }

  BlobInfo put(std::string_view name, std::string_view bytes, const Metadata& metadata = {}) {
    return write_all(*store_, name, bytes, WriteCondition::always(), metadata).value();
  }

  std::size_t temp_files() const {
    const fs::path temp = folder_ / ".dropscore" / "tmp";
    return fs::exists(temp) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(temp), {})) : 0;
  }

  fs::path folder_;
  std::unique_ptr<BlobStore> store_;
};

TEST(BlobName, WhatTheTriggerIgnores) {
  for (const char* name : {"a.csv", "sub/a.csv", "a.tmp.csv", "a~", "tmp", "part", "a..b", "Zo\xC3\xAB"}) {
    EXPECT_TRUE(is_blob_name(name)) << name;
  }
  for (const char* name : {"", ".a", "~a", "a.tmp", "a.TMP", "a.Part", "sub/.a", ".sub/a", "~sub/a", "sub.tmp/a",
                           "../a", "a/../b", "/a", "a/", "\xFF"}) {
    EXPECT_FALSE(is_blob_name(name)) << name;
  }
}

TEST_F(LocalStore, MakesTheFolderAndNothingInIt) {
  EXPECT_TRUE(fs::is_directory(folder_));
  EXPECT_TRUE(fs::is_empty(folder_)) << "a store that only reads leaves no bookkeeping";
}

TEST_F(LocalStore, TakesItsNameFromTheFolder) {
  EXPECT_EQ(open_local_store(folder_ / "input-data/").value()->container(), "input-data");
  EXPECT_EQ(open_local_store(folder_ / "x" / ".." / "in" / ".").value()->container(), "in");
}

TEST_F(LocalStore, WhatIsNoFolderIsMisuse) {
  scribble("file", "x");
  EXPECT_EQ(open_local_store(folder_ / "file").error().kind, ErrorKind::misuse);
  EXPECT_EQ(open_local_store(folder_ / "file" / "below").error().kind, ErrorKind::misuse);
}

TEST_F(LocalStore, ListsFilesOfOthersButNoHiddenOnes) {
  for (const char* name : {"a.csv", "s/b.csv", ".c", "~d", "e.tmp", "F.PART", ".h/i", "s/.j"}) scribble(name, "x");
  EXPECT_THAT(names(), UnorderedElementsAre("a.csv", "s/b.csv"));
  EXPECT_EQ(store_->properties(".c").error().kind, ErrorKind::not_found);
}

TEST_F(LocalStore, NeverOpensAPipe) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe.csv").c_str(), 0600), 0);
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(store_->properties("pipe.csv").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_->open("pipe.csv", std::nullopt).error().kind, ErrorKind::not_found);
}

TEST_F(LocalStore, FollowsLinksToFilesOnly) {
  const fs::path elsewhere = folder_ / ".elsewhere";
  fs::create_directories(elsewhere);
  std::ofstream(elsewhere / "x.csv") << "secret";
  fs::create_directory_symlink(elsewhere, folder_ / "linked");
  fs::create_symlink(elsewhere / "x.csv", folder_ / "file.csv");
  fs::create_symlink(elsewhere / "none", folder_ / "dangling.csv");
  EXPECT_THAT(names(), UnorderedElementsAre("file.csv"));
  EXPECT_EQ(*read_all(*store_, "file.csv", 100), "secret");
  EXPECT_EQ(store_->properties("dangling.csv").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_->properties("linked/x.csv").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_->remove("linked/x.csv", std::nullopt).error().kind, ErrorKind::not_found);
  EXPECT_EQ(write_all(*store_, "linked/new.csv", "x", WriteCondition::always(), {}).error().kind, ErrorKind::reject);
  EXPECT_FALSE(fs::exists(elsewhere / "new.csv"));
}

TEST_F(LocalStore, WritingReplacesALinkAndLeavesItsTarget) {
  scribble(".target", "of the link");
  fs::create_symlink(folder_ / ".target", folder_ / "x");
  put("x", "new");
  EXPECT_EQ(*read_file(folder_ / ".target", 100), "of the link");
  EXPECT_EQ(*read_file(folder_ / "x", 100), "new");
}

TEST_F(LocalStore, ManyFastRewritesOfTheSameSizeAreAllSeen) {
  // Within one tick of the file system's clock the file's identity stays as it was.
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = std::to_string(1000 + i);
    scribble("x", bytes);
    ASSERT_EQ(store_->properties("x")->info.etag, content_hash_hex(bytes));
  }
}

TEST_F(LocalStore, ARememberedEtagYieldsToAChange) {
  scribble("x", "one");
  // Old enough to be remembered.
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(store_->properties("x")->info.etag, content_hash_hex("one"));
  EXPECT_EQ(store_->properties("x")->info.etag, content_hash_hex("one"));
  const auto modified = fs::last_write_time(folder_ / "x");
  scribble("x", "two");
  fs::last_write_time(folder_ / "x", modified);
  EXPECT_EQ(store_->properties("x")->info.etag, content_hash_hex("two")) << "the modification time was set back";
  std::string listed;
  ASSERT_TRUE(store_->list([&](const BlobInfo& info) { return listed = info.etag, true; }));
  EXPECT_EQ(listed, content_hash_hex("two"));
}

TEST_F(LocalStore, NoticesARewriteInPlaceWhileReading) {
  const std::string first(100'000, '1');
  // Both of the kinds that time stamps show and of the kind that only the hash shows.
  for (const bool set_time_back : {false, true}) {
    scribble("x", first);
    const auto source = store_->open("x", content_hash_hex(first));
    ASSERT_TRUE(source);
    std::string chunk(1000, '\0');
    ASSERT_TRUE((*source)->read(chunk));
    const auto modified = fs::last_write_time(folder_ / "x");
    {
      std::fstream file(folder_ / "x", std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(90'000) << "2";
    }
    if (set_time_back) fs::last_write_time(folder_ / "x", modified);
    Result<std::size_t> got = std::size_t{1};
    while (got && *got != 0) got = (*source)->read(chunk);
    ASSERT_FALSE(got) << "set back: " << set_time_back;
    EXPECT_EQ(got.error().kind, ErrorKind::changed);
  }
}

TEST_F(LocalStore, AFileThatGrowsIsNotTheVersionThatWasOpened) {
  scribble("x", "one");
  const auto source = store_->open("x", content_hash_hex("one"));
  ASSERT_TRUE(source);
  std::ofstream(folder_ / "x", std::ios::app) << "more";
  std::string chunk(100, '\0');
  EXPECT_EQ((*source)->read(chunk).error().kind, ErrorKind::changed);
}

TEST_F(LocalStore, MetadataDoNotPassToAFileOfSomebodyElse) {
  put("r.json", "ours", {{"k", "v"}});
  scribble("r.json", "theirs");
  EXPECT_THAT(store_->properties("r.json")->metadata, IsEmpty());
  scribble("r.json", "ours");
  EXPECT_EQ(store_->properties("r.json")->metadata, (Metadata{{"k", "v"}})) << "equal content is the same version";
}

TEST_F(LocalStore, DiedBetweenMetadataAndBlob) {
  put("r.json", "old", {{"k", "old"}});
  // What commit() leaves when it ends there: metadata of the coming version beside those of the present one.
  ASSERT_TRUE(keep_metadata(folder_, "r.json", content_hash_hex("new"), {{"k", "new"}}, content_hash_hex("old")));
  reopen();
  EXPECT_EQ(store_->properties("r.json")->metadata, (Metadata{{"k", "old"}}));
  put("r.json", "new", {{"k", "again"}});
  EXPECT_EQ(store_->properties("r.json")->metadata, (Metadata{{"k", "again"}}));
}

TEST_F(LocalStore, DiedBeforeAFirstBlob) {
  put("other", "x");
  ASSERT_TRUE(keep_metadata(folder_, "sub/r.json", content_hash_hex("new"), {{"k", "new"}}, ""));
  EXPECT_TRUE(has_metadata(folder_, "sub/r.json"));
  EXPECT_THAT(names(), UnorderedElementsAre("other"));
  reopen();
  EXPECT_FALSE(has_metadata(folder_, "sub/r.json")) << "cleared away on open";
}

TEST_F(LocalStore, MetadataOfFilesThatOthersRemovedAreClearedAway) {
  const std::string lengthy(240, 'n');
  for (const std::string& name : {std::string("kept"), std::string("gone"), lengthy}) put(name, "x", {{"k", "v"}});
  fs::remove(folder_ / "gone");
  fs::remove(folder_ / lengthy);
  reopen();
  EXPECT_TRUE(has_metadata(folder_, "kept"));
  EXPECT_FALSE(has_metadata(folder_, "gone"));
  EXPECT_FALSE(has_metadata(folder_, lengthy));
}

TEST_F(LocalStore, DamagedMetadataAreNone) {
  put("r.json", "x", {{"k", "v"}});
  const fs::path document = folder_ / ".dropscore" / "meta" / "r.json.json";
  ASSERT_TRUE(fs::exists(document));
  for (const char* damage : {"", "{", "[]", R"({"format":"other/9"})"}) {
    std::ofstream(document, std::ios::trunc) << damage;
    EXPECT_THAT(store_->properties("r.json")->metadata, IsEmpty());
  }
  put("r.json", "x", {{"k", "mended"}});
  EXPECT_EQ(store_->properties("r.json")->metadata, (Metadata{{"k", "mended"}}));
}

TEST_F(LocalStore, AKilledWritersFilesGoAndALiveOnesStay) {
  put("x", "x");
  const auto live = store_->create("live", WriteCondition::always());
  ASSERT_TRUE(live && (*live)->write("half"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Another process opens the folder by itself; a descriptor inherited from here would keep its lock alive.
    const auto own = open_local_store(folder_);
    auto dead = (*own)->create("dead", WriteCondition::always());
    if (!dead || !(*dead)->write("half")) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(temp_files(), 2U);
  const auto again = open_local_store(folder_);
  EXPECT_EQ(temp_files(), 1U);
  ASSERT_TRUE((*live)->commit({}));
  EXPECT_THAT(names(), UnorderedElementsAre("x", "live"));
  EXPECT_EQ(temp_files(), 0U);
}

TEST_F(LocalStore, AFolderThatIsAwayIsTriedLater) {
  const fs::path away = folder_.string() + "-away";
  put("x", "x");
  fs::rename(folder_, away);
  EXPECT_EQ(store_->list([](const BlobInfo&) { return true; }).error().kind, ErrorKind::try_later);
  EXPECT_EQ(write_all(*store_, "y", "y", WriteCondition::always(), {}).error().kind, ErrorKind::try_later);
  EXPECT_FALSE(fs::exists(folder_));
  fs::rename(away, folder_);
  put("y", "y");
  EXPECT_THAT(names(), UnorderedElementsAre("x", "y"));
}

TEST_F(LocalStore, PublishedFilesAreReadableByOthersAsUmaskSays) {
  const mode_t before = ::umask(022);
  put("x", "x");
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "x").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST_F(LocalStore, PassesOverWhatItMayNotRead) {
  fs::remove_all(folder_);
  folder_ = "/tmp/dropscore-" + random_id();  // where everybody may look, whatever TMPDIR says
  reopen();
  scribble("mine.csv", "x");
  scribble("secret.csv", "x");
  fs::permissions(folder_ / "secret.csv", fs::perms::none);
  // Root may read everything, so the look is taken by somebody else.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(9);
    const bool listed = names() == std::set<std::string>{"mine.csv"};
    const auto asked = store_->properties("secret.csv");
    ::_exit(!listed ? 1 : asked || asked.error().kind != ErrorKind::try_later ? 2 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: the list, 2: the question by name, 9: no other user to be";
}

}  // namespace
}  // namespace dropscore::store
