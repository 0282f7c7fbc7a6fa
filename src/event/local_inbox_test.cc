#include "event/local_inbox.h"

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/hash.h"
#include "event/writer_check.h"
#include "store/local_store.h"

namespace dropscore::event {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto ample = 20s;   ///< a deadline for what must happen, on the slowest machine
constexpr auto brief = 60ms;  ///< a look for what must not happen: too short may miss a fault, never invent one

constexpr const char* counted = "counted.csv";

class LocalInboxTest : public ::testing::Test {
 protected:
  LocalInboxTest() : above_(fs::temp_directory_path() / ("dropscore-" + random_id())), folder_(above_ / "in") {
    fs::create_directories(folder_);
    store_ = store::open_local_store(folder_).value();
  }
  ~LocalInboxTest() override {
    inbox_.reset();
    fs::remove_all(above_);
  }

  /// Inotify alone: after the first, empty sweep none comes during a test.
  void open_watching() { open({.use_inotify = true, .sweep_interval = 1h}, false); }
  /// Sweeps alone.
  void open_sweeping() { open({.use_inotify = false, .sweep_interval = 5ms}, true); }

  void open(const LocalInboxOptions& options, bool pending) {
    pending_ = pending;
    inbox_ = open_local_inbox(
                 folder_, *store_, [this](const store::BlobInfo& info) { return ask(info); }, options)
                 .value();
  }

  Result<bool> ask(const store::BlobInfo& info) {
    if (info.name == counted) {
      ++visits_;
      return false;
    }
    const std::lock_guard lock(mutex_);
    return pending_ && !has_result_.contains(info.name + info.etag);
  }

  /// Waits until a sweep that began after this call has ended. Each sweep visits the counted file once: the first visit
  /// from now may belong to a sweep under way, the second to one that began later, the third comes after that one.
  void wait_for_sweep() {
    if (!fs::exists(folder_ / counted)) write(counted, "");
    const int before = visits_;
    wait_until([&] { return visits_ >= before + 3; });
  }

  template <class Condition>
  static void wait_until(const Condition& condition) {
    const auto deadline = Clock::now() + ample;
    while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(condition());
  }

  void write(const std::string& name, std::string_view bytes) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  std::string take() {
    auto taken = inbox_->take(ample).value();
    EXPECT_TRUE(taken) << "nothing came";
    if (!taken) return "";
    last_ = *taken;
    return taken->blob;
  }
  std::string take_and_acknowledge() {
    std::string blob = take();
    EXPECT_TRUE(blob.empty() || inbox_->acknowledge(last_));
    return blob;
  }
  /// Takes and acknowledges until `blob` comes; what came before it. For cases where a file may rightly come twice: by
  /// an event and by a sweep or the look into a new folder.
  std::set<std::string> take_until(const std::string& blob) {
    std::set<std::string> before;
    for (std::string taken = take_and_acknowledge(); taken != blob && !taken.empty(); taken = take_and_acknowledge()) {
      before.insert(taken);
    }
    return before;
  }
  bool nothing_comes() { return !inbox_->take(brief).value(); }

  fs::path above_;
  fs::path folder_;
  std::unique_ptr<store::BlobStore> store_;
  std::unique_ptr<Inbox> inbox_;
  Envelope last_;
  std::atomic<bool> pending_ = true;
  std::atomic<int> visits_ = 0;
  std::mutex mutex_;
  std::set<std::string> has_result_;
};

TEST_F(LocalInboxTest, RefusesWhatCannotWork) {
  const auto never = [](const store::BlobInfo&) -> Result<bool> { return false; };
  EXPECT_EQ(open_local_inbox(folder_ / "none", *store_, never).error().kind, ErrorKind::misuse);
  EXPECT_EQ(open_local_inbox(folder_, *store_, never, {.sweep_interval = 0ms}).error().kind, ErrorKind::misuse);
}

TEST_F(LocalInboxTest, TakesAFileWhenItsWriterClosesIt) {
  open_watching();
  {
    std::ofstream file(folder_ / "a.csv");
    file << "half" << std::flush;
    EXPECT_TRUE(nothing_comes());
    file << " and half";
  }
  EXPECT_EQ(take(), "a.csv");
  EXPECT_EQ(last_.attempt, 1);
  EXPECT_FALSE(last_.etag);
  EXPECT_TRUE(inbox_->acknowledge(last_));
  EXPECT_TRUE(nothing_comes());
}

TEST_F(LocalInboxTest, TakesAFileRenamedIntoPlace) {
  open_watching();
  write(".hidden", "x");
  write("half.part", "x");
  write("half.TMP", "x");
  write("~lock", "x");
  fs::rename(folder_ / "half.part", folder_ / "whole.csv");
  EXPECT_EQ(take_and_acknowledge(), "whole.csv");
  std::ofstream(above_ / "outside.csv") << "x";
  fs::rename(above_ / "outside.csv", folder_ / "inside.csv");
  EXPECT_EQ(take_and_acknowledge(), "inside.csv");
  EXPECT_TRUE(nothing_comes());
}

TEST_F(LocalInboxTest, TakesFilesOfNewFoldersHoweverFast) {
  open_watching();
  std::set<std::string> wanted;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "d" + std::to_string(i) + "/e/f.csv";
    write(name, "x");
    wanted.insert(name);
  }
  while (!wanted.empty()) {
    const std::string name = take_and_acknowledge();
    ASSERT_FALSE(name.empty());
    wanted.erase(name);
  }
}

TEST_F(LocalInboxTest, ARenamedFoldersFilesHaveNewNames) {
  open_watching();
  write("one/a.csv", "x");
  take_until("one/a.csv");
  fs::rename(folder_ / "one", folder_ / "two");
  take_until("two/a.csv");
  write("two/b.csv", "x");
  EXPECT_FALSE(take_until("two/b.csv").contains("one/b.csv"));
  fs::rename(folder_ / "two", above_ / "away");
  std::ofstream(above_ / "away" / "c.csv") << "x";
  write("last.csv", "x");
  EXPECT_FALSE(take_until("last.csv").contains("two/c.csv")) << "a folder that was moved away is watched no longer";
}

TEST_F(LocalInboxTest, AFileWithASecondWriterWaitsForItsClose) {
  open_watching();
  std::ofstream first(folder_ / "a.csv");
  {
    std::ofstream second(folder_ / "a.csv", std::ios::app);
    second << "x";
  }
  EXPECT_FALSE(inbox_->take(200ms).value()) << "the first writer is still at it";
  first.close();
  EXPECT_EQ(take(), "a.csv");
}

TEST_F(LocalInboxTest, ArrivesWithinMilliseconds) {
  open_watching();
  std::vector<Clock::duration> delays;
  for (int i = 0; i < 20; ++i) {
    write("a" + std::to_string(i), "x");
    const auto closed = Clock::now();
    take_and_acknowledge();
    delays.push_back(Clock::now() - closed);
  }
  std::nth_element(delays.begin(), delays.begin() + 10, delays.end());
  EXPECT_LT(delays[10], 2s) << "half of them at least; far off a sweep's hour, even on a machine under load";
}

TEST_F(LocalInboxTest, RedeliversWhatChangedDuringWork) {
  open_watching();
  write("a.csv", "one");
  EXPECT_EQ(take(), "a.csv");
  const Envelope first = last_;
  write("a.csv", "two");
  write("b.csv", "x");
  EXPECT_EQ(take_and_acknowledge(), "b.csv");
  ASSERT_TRUE(inbox_->acknowledge(first));
  EXPECT_EQ(take(), "a.csv");
  EXPECT_EQ(last_.attempt, 1);
  EXPECT_NE(last_.receipt, first.receipt);
}

TEST_F(LocalInboxTest, RetriesAfterTheDelay) {
  open_watching();
  write("a.csv", "x");
  take();
  const auto start = Clock::now();
  ASSERT_TRUE(inbox_->retry(last_, 30ms));
  EXPECT_EQ(take(), "a.csv");
  EXPECT_GE(Clock::now() - start, 29ms);
  EXPECT_EQ(last_.attempt, 2);
}

TEST_F(LocalInboxTest, StopWakesTakers) {
  open_watching();
  std::thread taker([&] { EXPECT_FALSE(inbox_->take(1h).value()); });
  inbox_->stop();
  taker.join();
  write("a.csv", "x");
  EXPECT_FALSE(inbox_->take(0ms).value());
}

TEST_F(LocalInboxTest, TheFirstSweepFindsWhatLayThere) {
  write("s/a.csv", "x");
  write(".hidden", "x");
  open({.use_inotify = true, .sweep_interval = 1h}, true);
  EXPECT_EQ(take(), "s/a.csv");
  EXPECT_TRUE(nothing_comes());
}

TEST_F(LocalInboxTest, ASweepAsksWhetherTheResultIsMissing) {
  write("done.csv", "x");
  has_result_.insert("done.csv" + content_hash_hex("x"));
  open_sweeping();
  wait_for_sweep();
  write("new.csv", "y");
  EXPECT_EQ(take(), "new.csv");
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes());
  write("done.csv", "changed");
  EXPECT_EQ(take(), "done.csv");
}

TEST_F(LocalInboxTest, ASweepLeavesAFileThatSomebodyWrites) {
  open_sweeping();
  std::ofstream file(folder_ / "a.csv");
  file << "half" << std::flush;
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes());
  file.close();
  EXPECT_EQ(take(), "a.csv");
}

TEST_F(LocalInboxTest, ASweepDoesNotRepeatWhatIsUnderWayOrDone) {
  write("a.csv", "x");
  open_sweeping();
  EXPECT_EQ(take(), "a.csv");
  const Envelope first = last_;
  write("b.csv", "x");
  EXPECT_EQ(take(), "b.csv");
  write("c.csv", "x");
  EXPECT_EQ(take_and_acknowledge(), "c.csv");
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes()) << "two in work; one acknowledged, though it never got its result";
  ASSERT_TRUE(inbox_->retry(first, 1h));
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes()) << "one waits for its next try";
  write("c.csv", "changed");
  EXPECT_EQ(take(), "c.csv");
}

TEST_F(LocalInboxTest, AFaultOfTheQuestionIsAskedAgain) {
  write("a.csv", "x");
  std::atomic<int> faults = 3;
  inbox_ = open_local_inbox(folder_, *store_,
                            [&](const store::BlobInfo&) -> Result<bool> {
                              if (faults-- > 0) return fail(ErrorKind::try_later, "the output is away");
                              return true;
                            },
                            {.use_inotify = false, .sweep_interval = 2ms})
               .value();
  EXPECT_EQ(take(), "a.csv");
  inbox_.reset();  // before the count that it asks
}

TEST_F(LocalInboxTest, ABurstInANewFolderIsTakenWhole) {
  open_watching();
  constexpr std::size_t files = 300;
  for (std::size_t i = 0; i < files; ++i) write("burst/" + std::to_string(i), "x");
  std::set<std::string> seen;
  while (seen.size() < files) {
    const std::string name = take_and_acknowledge();
    ASSERT_FALSE(name.empty());
    seen.insert(name);
  }
}

TEST_F(LocalInboxTest, TheFolderGoesAndComesBack) {
  open({.use_inotify = true, .sweep_interval = 1h}, true);
  write("a.csv", "x");
  take_until("a.csv");
  fs::remove_all(folder_);
  fs::create_directories(folder_);
  write("b.csv", "x");
  take_until("b.csv");
  fs::rename(folder_, above_ / "away");
  fs::create_directories(folder_);
  write("s/c.csv", "x");
  take_until("s/c.csv");
  write("s/d.csv", "x");
  take_until("s/d.csv");
}

TEST_F(LocalInboxTest, TwoTakersShareAStreamOfFiles) {
  open({.use_inotify = true, .sweep_interval = 3ms}, true);
  constexpr std::size_t files = 120;
  constexpr std::size_t names = 35;  // each is written several times
  std::mutex mutex;
  std::set<std::string> in_work;
  std::set<std::string> done;
  std::atomic<bool> clash = false;
  const auto work = [&] {
    while (auto taken = inbox_->take(ample).value()) {
      {
        const std::lock_guard lock(mutex);
        if (!in_work.insert(taken->blob).second) clash = true;
      }
      const auto properties = store_->properties(taken->blob);
      std::this_thread::yield();
      {
        const std::lock_guard lock(mutex);
        in_work.erase(taken->blob);
        if (taken->attempt > 1) done.insert(taken->blob);
      }
      if (properties && taken->attempt > 1) {
        const std::lock_guard lock(mutex_);
        has_result_.insert(taken->blob + properties->info.etag);
      }
      EXPECT_TRUE(taken->attempt > 1 ? inbox_->acknowledge(*taken) : inbox_->retry(*taken, 1ms));
    }
  };
  std::thread first(work);
  std::thread second(work);
  for (std::size_t i = 0; i < files; ++i)
    write("d" + std::to_string(i % 7) + "/" + std::to_string(i % names), std::to_string(i));
  wait_until([&] {
    const std::lock_guard lock(mutex);
    return done.size() == names;
  });
  inbox_->stop();
  first.join();
  second.join();
  EXPECT_FALSE(clash);
}

TEST(WriterCheck, TellsWhetherAWriterIsThere) {
  const fs::path path = fs::temp_directory_path() / ("dropscore-" + random_id());
  EXPECT_EQ(look_for_writer(path), Writer::no_file);
  std::ofstream writer(path);
  EXPECT_EQ(look_for_writer(path), Writer::present);
  writer.close();
  const std::ifstream reader(path);
  EXPECT_EQ(look_for_writer(path), Writer::none);
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(look_for_writer(path), Writer::no_file);
  fs::remove(path);
}

TEST(WriterCheck, AWriterWhoComesMeanwhileDoesNotKillUs) {
  const fs::path path = fs::temp_directory_path() / ("dropscore-" + random_id());
  std::ofstream(path) << "x";
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) std::ofstream(path, std::ios::app).flush();
  });
  for (int i = 0; i < 3000; ++i) look_for_writer(path);
  done = true;
  writer.join();
  EXPECT_EQ(look_for_writer(path), Writer::none);
  fs::remove(path);
}

TEST(WriterCheck, OfSomebodyElsesFileNothingIsKnown) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const fs::path path = "/tmp/dropscore-" + random_id();  // where everybody may look, whatever TMPDIR says
  std::ofstream(path) << "x";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(9);
    ::_exit(look_for_writer(path) == Writer::unknown ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  fs::remove(path);
}

TEST(QuietFiles, AFileIsQuietAfterASecondWithoutChange) {
  const fs::path path = fs::temp_directory_path() / ("dropscore-" + random_id());
  std::ofstream(path) << "x";
  QuietFiles files;
  const auto start = Clock::now();
  EXPECT_FALSE(files.is_quiet(path, start));
  EXPECT_FALSE(files.is_quiet(path, start + 999ms));
  EXPECT_TRUE(files.is_quiet(path, start + 1000ms));
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_FALSE(files.is_quiet(path, start + 1500ms));
  EXPECT_TRUE(files.is_quiet(path, start + 2500ms));
  files.forget_before(start + 3000ms);
  EXPECT_FALSE(files.is_quiet(path, start + 4000ms)) << "forgotten: seen for the first time";
  fs::remove(path);
}

}  // namespace
}  // namespace dropscore::event
