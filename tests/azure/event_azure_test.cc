// The queue inbox on azurite, as with_azurite.py starts it. Two inboxes here are what two processes would be: they know
// of each other through the queue alone.
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azurite_account.h"
#include "base/base64.h"
#include "base/hash.h"
#include "event/azure_queue.h"
#include "event/event_test_util.h"
#include "event/queue_inbox.h"
#include "store/memory_store.h"

namespace dropscore::event {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto ample = 20s;
constexpr auto brief = 200ms;

class EventAzure : public ::testing::Test {
 protected:
  EventAzure() {
    options_.visibility = 30s;
    options_.first_idle_wait = 5ms;
    options_.last_idle_wait = 50ms;
    options_.sweep.interval = 1h;
  }
  void SetUp() override { ASSERT_TRUE(queue_.make()); }

  std::unique_ptr<Inbox> open() {
    const FindPending find = [this](const auto& visit) {
      const std::lock_guard lock(mutex_);
      for (const std::string& name : pending_) visit({name, "0x8D", 1});
      return Status();
    };
    return open_queue_inbox(account_, queue_.name(), client_, *input_, find, options_).value();
  }
  /// As Event Grid does it.
  void arrive(std::string_view blob) {
    const std::string url = testing::url_of("in", blob, account_.blob_endpoint);
    ASSERT_TRUE(queue_.put(testing::cloud_event(testing::created_data(url))));
  }
  static Envelope take(Inbox& inbox) {
    const auto taken = inbox.take(ample).value();
    EXPECT_TRUE(taken) << "nothing came";
    return taken.value_or(Envelope{});
  }
  static bool nothing_comes(Inbox& inbox) { return !inbox.take(brief).value(); }

  template <class Condition>
  static void wait_until(const Condition& condition) {
    const auto deadline = Clock::now() + ample;
    while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(condition());
  }

  azure::Account account_ = dropscore::testing::azurite_account();
  std::shared_ptr<net::HttpClient> client_ = std::make_shared<net::HttpClient>();
  AzureQueue queue_{account_, "work-" + random_id(), client_};
  AzureQueue poison_{account_, queue_.name() + "-poison", client_};
  std::unique_ptr<store::BlobStore> input_ = store::make_memory_store("in");
  QueueInboxOptions options_;
  std::mutex mutex_;
  std::set<std::string> pending_;
};

/// Takes and acknowledges with several threads; counts who had what.
class Consumer {
 public:
  explicit Consumer(std::unique_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Consumer() { stop(); }
  void stop() {
    inbox_->stop();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  std::map<std::string, int> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  bool clash() const { return clash_; }

 private:
  void run() {
    while (const auto taken = inbox_->take(ample).value()) {
      {
        const std::lock_guard lock(mutex_);
        if (!in_work_.insert(taken->blob).second) clash_ = true;
        ++seen_[taken->blob];
      }
      std::this_thread::sleep_for(3ms);
      {
        const std::lock_guard lock(mutex_);
        in_work_.erase(taken->blob);
      }
      EXPECT_TRUE(inbox_->acknowledge(*taken));
    }
  }

  std::unique_ptr<Inbox> inbox_;
  std::mutex mutex_;
  std::set<std::string> in_work_;
  std::map<std::string, int> seen_;
  std::atomic<bool> clash_ = false;
  std::vector<std::thread> threads_;
};

TEST_F(EventAzure, TwoInboxesShareOneQueue) {
  constexpr int messages = 200;
  constexpr int blobs = 120;
  for (int i = 0; i < messages / 2; ++i) arrive("blob" + std::to_string(i % blobs));
  Consumer one(open());
  Consumer two(open());
  for (int i = messages / 2; i < messages; ++i) arrive("blob" + std::to_string(i % blobs));
  wait_until([&] { return queue_.length().value() == 0; });
  one.stop();
  two.stop();
  std::map<std::string, int> seen = one.seen();
  for (const auto& [blob, times] : two.seen()) seen[blob] += times;
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(blobs));
  int handed_out = 0;
  for (const auto& [blob, times] : seen) handed_out += times;
  EXPECT_LE(handed_out, messages);
  EXPECT_FALSE(one.clash() || two.clash());
  EXPECT_FALSE(one.seen().empty());
  EXPECT_FALSE(two.seen().empty());
}

TEST_F(EventAzure, ALongJobStaysHidden) {
  options_.visibility = 4s;  // renewed after two, so that a busy machine has two more
  const auto worker = open();
  const auto other = open();
  arrive("long.csv");
  const Envelope taken = take(*worker);
  EXPECT_FALSE(other->take(10s).value()) << "more than twice the visibility";
  EXPECT_TRUE(worker->acknowledge(taken));
  EXPECT_EQ(queue_.length().value(), 0U);
}

TEST_F(EventAzure, AKilledConsumersWorkComesToAnother) {
  options_.visibility = 1s;
  arrive("a.csv");
  auto killed = open();
  EXPECT_EQ(take(*killed).attempt, 1);
  killed.reset();
  const auto other = open();
  const Envelope again = take(*other);
  EXPECT_EQ(again.blob, "a.csv");
  EXPECT_EQ(again.attempt, 2);
  EXPECT_TRUE(other->acknowledge(again));
}

TEST_F(EventAzure, WhatIsGivenUpComesToAnotherAtOnce) {
  options_.visibility = 1h;
  arrive("a.csv");
  const auto leaving = open();
  EXPECT_EQ(take(*leaving).attempt, 1);
  leaving->abandon();
  const auto other = open();
  EXPECT_EQ(take(*other).attempt, 2) << "and not once it would be seen again by itself";
}

TEST_F(EventAzure, AReceiptThatWasLost) {
  options_.visibility = 1s;
  const auto inbox = open();
  arrive("a.csv");
  arrive("b.csv");
  const Envelope first = take(*inbox);
  const Envelope second = take(*inbox);
  azure::StorageClient service(account_.queue_endpoint, account_.credential, client_);
  azure::StorageRequest clear;
  clear.method = "DELETE";
  clear.path = "/" + queue_.name() + "/messages";
  ASSERT_TRUE(service.call(clear).value().ok());
  EXPECT_EQ(inbox->acknowledge(first).error().kind, ErrorKind::not_found);
  std::this_thread::sleep_for(700ms);  // over half of the visibility: the renewal has found out
  EXPECT_EQ(inbox->retry(second, 0ms).error().kind, ErrorKind::not_found);
  EXPECT_EQ(inbox->dead_letter(second, "why").error().kind, ErrorKind::not_found);
}

TEST_F(EventAzure, PoisonIsSetAside) {
  ASSERT_TRUE(queue_.put("no event"));
  arrive("a.csv");
  const auto inbox = open();
  const Envelope taken = take(*inbox);
  EXPECT_TRUE(nothing_comes(*inbox));
  ASSERT_TRUE(inbox->dead_letter(taken, "tried 5 times"));
  EXPECT_EQ(queue_.length().value(), 0U);
  std::map<std::string, int> letters;
  const std::vector<QueueMessage> found = poison_.take(32, 30s).value();
  for (const QueueMessage& letter : found) ++letters[base64_decoded(letter.text).value()];
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_THAT(letters.begin()->first, HasSubstr(R"("blob":null,"etag":null,"attempts":1,"message":"no event")"));
  EXPECT_THAT(letters.rbegin()->first,
              HasSubstr(R"("reason":"tried 5 times","blob":"a.csv","etag":"0x8D4BCC2E4835CD0")"));
}

TEST_F(EventAzure, ASweepMakesUpForDroppedEvents) {
  options_.sweep.interval = 50ms;
  for (int i = 0; i < 20; ++i) pending_.insert("lost" + std::to_string(i));
  const auto one = open();
  const auto two = open();
  std::set<std::string> wanted = pending_;
  for (int turn = 0; !wanted.empty() && turn < 100; ++turn) {
    Inbox& inbox = turn % 2 == 0 ? *one : *two;
    const auto taken = inbox.take(5s).value();
    if (!taken) continue;
    wanted.erase(taken->blob);
    {
      const std::lock_guard lock(mutex_);
      pending_.erase(taken->blob);
    }
    EXPECT_TRUE(inbox.acknowledge(*taken));
  }
  EXPECT_TRUE(wanted.empty());
}

TEST_F(EventAzure, AnArrivalIsTakenSoon) {
  options_.last_idle_wait = 500ms;
  const auto inbox = open();
  EXPECT_FALSE(inbox->take(2s).value()) << "by now it looks twice a second";
  std::atomic<Clock::time_point> put_at{};
  std::thread later([&] {
    std::this_thread::sleep_for(brief);
    arrive("a.csv");
    put_at = Clock::now();
  });
  const Envelope taken = take(*inbox);
  const auto taken_at = Clock::now();
  later.join();
  EXPECT_LT(taken_at - put_at.load(), 10s) << "half a second, and what a busy machine and the emulator need";
  EXPECT_TRUE(inbox->acknowledge(taken));
}

}  // namespace
}  // namespace dropscore::event
