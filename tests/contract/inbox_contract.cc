#include "inbox_contract.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace dropscore::event {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto ample = 20s;
constexpr auto brief = 100ms;  ///< a look for what must not happen: too short may miss a fault, never invent one

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value()) << "an error was expected";
  return result ? ErrorKind::give_up : result.error().kind;
}

}  // namespace

Envelope InboxContract::take() {
  const auto taken = inbox().take(ample);
  EXPECT_TRUE(taken && *taken) << "nothing came";
  return taken && *taken ? **taken : Envelope{};
}

bool InboxContract::nothing_comes() { return !inbox().take(brief).value(); }

TEST_P(InboxContract, NothingComesOfNothing) {
  EXPECT_TRUE(nothing_comes());
  EXPECT_FALSE(inbox().take(0ms).value());
}

TEST_P(InboxContract, AnArrivalIsDeliveredOnce) {
  fixture_->arrive("dir/Zo\xC3\xAB 100%+&.csv");
  const Envelope taken = take();
  EXPECT_EQ(taken.blob, "dir/Zo\xC3\xAB 100%+&.csv");
  EXPECT_EQ(taken.attempt, 1);
  EXPECT_TRUE(nothing_comes());
  EXPECT_TRUE(inbox().acknowledge(taken));
  EXPECT_TRUE(nothing_comes());
}

TEST_P(InboxContract, ADeliveryEndsOnce) {
  fixture_->arrive("a");
  const Envelope first = take();
  ASSERT_TRUE(inbox().acknowledge(first));
  EXPECT_EQ(kind_of(inbox().acknowledge(first)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(inbox().retry(first, 0ms)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(inbox().dead_letter(first, "why")), ErrorKind::not_found);
  fixture_->arrive("a");
  const Envelope second = take();
  EXPECT_EQ(kind_of(inbox().acknowledge(first)), ErrorKind::not_found) << "the receipt is an older delivery's";
  EXPECT_TRUE(inbox().acknowledge(second));
}

TEST_P(InboxContract, AnArrivalDuringWorkComesAfterIt) {
  fixture_->arrive("a");
  const Envelope first = take();
  fixture_->arrive("a");
  fixture_->arrive("a");
  EXPECT_TRUE(nothing_comes()) << "one blob is never with two takers";
  ASSERT_TRUE(inbox().acknowledge(first));
  const Envelope second = take();
  EXPECT_EQ(second.blob, "a");
  EXPECT_EQ(second.attempt, 1);
  EXPECT_TRUE(inbox().acknowledge(second));
}

TEST_P(InboxContract, ARetryCountsAndWaits) {
  fixture_->arrive("a");
  ASSERT_TRUE(inbox().retry(take(), 0ms));
  const Envelope second = take();
  EXPECT_EQ(second.attempt, 2);
  const auto start = Clock::now();
  ASSERT_TRUE(inbox().retry(second, GetParam().delay));
  EXPECT_EQ(kind_of(inbox().acknowledge(second)), ErrorKind::not_found);
  const Envelope third = take();
  EXPECT_EQ(third.attempt, 3);
  EXPECT_GE(Clock::now() - start, GetParam().delay * 9 / 10);
  EXPECT_TRUE(inbox().acknowledge(third));
}

TEST_P(InboxContract, ARetryOfWhatArrivedAnewWaitsAndCountsAnew) {
  fixture_->arrive("a");
  ASSERT_TRUE(inbox().retry(take(), 0ms));
  const Envelope second = take();
  EXPECT_EQ(second.attempt, 2);
  fixture_->arrive("a");
  EXPECT_TRUE(nothing_comes());
  const auto start = Clock::now();
  ASSERT_TRUE(inbox().retry(second, GetParam().delay));
  const Envelope anew = take();
  EXPECT_EQ(anew.attempt, 1);
  EXPECT_GE(Clock::now() - start, GetParam().delay * 9 / 10);
  EXPECT_TRUE(inbox().acknowledge(anew));
}

TEST_P(InboxContract, ADeadLetterEndsTheDelivery) {
  fixture_->arrive("a");
  const Envelope taken = take();
  EXPECT_TRUE(inbox().dead_letter(taken, "tried 5 times"));
  EXPECT_EQ(kind_of(inbox().acknowledge(taken)), ErrorKind::not_found);
  EXPECT_TRUE(nothing_comes());
}

TEST_P(InboxContract, StopWakesTakersAndLetsWorkEnd) {
  fixture_->arrive("a");
  const Envelope taken = take();
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) takers.emplace_back([this] { EXPECT_FALSE(inbox().take(1h).value()); });
  std::this_thread::sleep_for(brief);
  const auto start = Clock::now();
  inbox().stop();
  for (std::thread& taker : takers) taker.join();
  EXPECT_LT(Clock::now() - start, ample) << "of an hour";
  EXPECT_TRUE(inbox().acknowledge(taken));
  fixture_->arrive("b");
  EXPECT_FALSE(inbox().take(0ms).value());
}

TEST_P(InboxContract, NothingIsHandedOutAfterAbandon) {
  fixture_->arrive("a");
  fixture_->arrive("b");
  take();
  inbox().abandon();
  EXPECT_FALSE(inbox().take(brief).value());
}

TEST_P(InboxContract, NoBlobIsWithTwoTakers) {
  constexpr std::size_t names = 5;
  constexpr std::size_t arrivals = 60;
  std::mutex mutex;
  std::set<std::string> in_work;
  std::map<std::string, int> seen;
  std::atomic<bool> clash = false;
  const auto work = [&] {
    int turn = 0;
    while (const auto taken = inbox().take(ample).value()) {
      {
        const std::lock_guard lock(mutex);
        if (!in_work.insert(taken->blob).second) clash = true;
        ++seen[taken->blob];
      }
      std::this_thread::sleep_for(2ms);
      {
        const std::lock_guard lock(mutex);
        in_work.erase(taken->blob);
      }
      EXPECT_TRUE(++turn % 5 == 0 ? inbox().retry(*taken, 0ms) : inbox().acknowledge(*taken));
    }
  };
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) takers.emplace_back(work);
  for (std::size_t i = 0; i < arrivals; ++i) fixture_->arrive("name" + std::to_string(i % names));
  const auto all_seen = [&] {
    const std::lock_guard lock(mutex);
    return seen.size() == names;
  };
  const auto deadline = Clock::now() + ample;
  while (!all_seen() && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(all_seen());
  inbox().stop();
  for (std::thread& taker : takers) taker.join();
  EXPECT_FALSE(clash);
}

}  // namespace dropscore::event
