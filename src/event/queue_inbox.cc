#include "event/queue_inbox.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "event/azure_queue.h"
#include "event/dead_letters.h"
#include "event/held_messages.h"
#include "event/lost_blobs.h"
#include "event/queue_mail.h"
#include "event/sweeper.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"

namespace dropscore::event {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Lock = std::unique_lock<std::mutex>;

constexpr int most_at_once = 32;  ///< messages, the service's limit
constexpr std::chrono::hours longest_visibility{7 * 24};
constexpr std::chrono::hours longest_wait{24};

/// What is done again anyway, and must not hold anybody up: a look, a renewal, a sweep's message.
net::RetryPolicy one_try(seconds visibility) {
  net::RetryPolicy policy;
  policy.max_tries = 1;
  policy.budget = std::clamp<milliseconds>(milliseconds(visibility) / 4, seconds(1), seconds(10));
  return policy;
}

/// The service counts in seconds. Rounded up, but that a short delay is none.
seconds whole_seconds(milliseconds delay) {
  if (delay < milliseconds(500)) return seconds(0);
  return std::min<seconds>(std::chrono::ceil<seconds>(delay), longest_visibility);
}

class QueueInbox final : public Inbox {
 public:
  QueueInbox(const azure::Account& account, const std::string& queue, const std::string& poison,
             const std::shared_ptr<net::HttpClient>& client, const store::BlobStore& input, FindPending find_pending,
             const QueueInboxOptions& options)
      : options_(options),
        find_pending_(std::move(find_pending)),
        queue_(account, queue, client, options.retry),
        mail_(account, input.container(), queue, poison, client, one_try(options.visibility)),
        idle_wait_(options.first_idle_wait),
        lost_blobs_(options.sweep_patience),
        sweeper_(options.sweep.interval, [this](Clock::time_point start) { return sweep(start); }) {
    telemetry::expose(telemetry::Part::queue);
    renewer_ = std::thread([this] { renew_again_and_again(); });
    sweeper_.start();
  }

  ~QueueInbox() override {
    QueueInbox::stop();
    {
      Lock lock(mutex_);
      ending_ = true;
      give_back(lock, held_.waiting_keys());
    }
    changed_.notify_all();
    renewer_.join();
  }

  Result<std::optional<Envelope>> take(milliseconds wait) override;
  Status acknowledge(const Envelope& envelope) override;
  Status retry(const Envelope& envelope, milliseconds delay) override;
  Status dead_letter(const Envelope& envelope, std::string_view reason) override;
  void forget_done() override { lost_blobs_.forget_done(); }
  void abandon() override;
  void stop() override;
  std::optional<SweepState> sweeps() const override { return sweeper_.state(); }

 private:
  void poll(Lock& lock);
  Status receive(std::vector<QueueMessage> messages, Clock::time_point asked_at);
  Status keep(const ArrivalMail& mail, Clock::time_point asked_at);

  Result<QueueMessage> begin_to_end(const Envelope& envelope);
  void end(const Envelope& envelope, milliseconds pause);

  void renew_again_and_again();
  void renew(Lock& lock, HeldMessages::Key key);
  void give_back(Lock& lock, const std::vector<HeldMessages::Key>& keys);
  Status give_back(Lock& lock, HeldMessages::Key key);

  Status sweep(Clock::time_point start);

  const QueueInboxOptions options_;
  const FindPending find_pending_;
  AzureQueue queue_;  // for what ends a delivery
  QueueMail mail_;    // its queue is for what is done again anyway

  std::mutex mutex_;
  std::condition_variable changed_;  // any of what follows
  HeldMessages held_;
  int waiting_takers_ = 0;
  bool polling_ = false;
  Clock::time_point next_poll_{};
  milliseconds idle_wait_;
  bool stopped_ = false;
  bool abandoned_ = false;
  bool ending_ = false;

  FaultLog poll_faults_{"queue_failed"};        // the poller's, whoever that is
  FaultLog message_faults_{"messages_failed"};  // likewise
  LostBlobs lost_blobs_;
  std::thread renewer_;
  Sweeper sweeper_;  // its thread ends before the rest goes
  const telemetry::OnScrape gauge_{[this] {
    const Lock lock(mutex_);
    telemetry::set(telemetry::Metric::queue_held, static_cast<double>(held_.count()));
  }};
};

Result<std::optional<Envelope>> QueueInbox::take(milliseconds wait) {
  const Clock::time_point deadline = Clock::now() + std::clamp<milliseconds>(wait, milliseconds(0), longest_wait);
  Lock lock(mutex_);
  ++waiting_takers_;
  std::optional<Envelope> taken;
  for (bool looked = false; !stopped_;) {
    const Clock::time_point now = Clock::now();
    taken = held_.hand_out(now);
    if (taken || (now >= deadline && looked)) break;
    if (!polling_ && now >= next_poll_) {
      poll(lock);
      looked = true;
      continue;
    }
    if (now >= deadline) break;
    Clock::time_point until = std::min(deadline, held_.next_due());
    if (!polling_) until = std::min(until, next_poll_);
    changed_.wait_until(lock, until);
  }
  --waiting_takers_;
  return taken;
}

/// One look at the queue, for as many messages as there are takers: what nobody works on yet is better left to others.
void QueueInbox::poll(Lock& lock) {
  polling_ = true;
  const auto ready = static_cast<int>(held_.ready(Clock::now()));
  const int most = std::clamp(waiting_takers_ - ready, 1, most_at_once);
  lock.unlock();
  const Clock::time_point asked_at = Clock::now();
  Result<std::vector<QueueMessage>> messages = mail_.queue().take(most, options_.visibility);
  const bool some = messages && !messages->empty();
  poll_faults_.note(messages ? Status() : Status(tl::unexpected(messages.error())));
  if (some) message_faults_.note(receive(*std::move(messages), asked_at));
  lock.lock();
  polling_ = false;
  idle_wait_ = some ? options_.first_idle_wait : std::min(2 * idle_wait_, options_.last_idle_wait);
  next_poll_ = Clock::now() + (some ? milliseconds(0) : idle_wait_);
  changed_.notify_all();
}

/// The first fault, if any: a message that could not be cleared away comes again.
Status QueueInbox::receive(std::vector<QueueMessage> messages, Clock::time_point asked_at) {
  const SortedMail mail = mail_.sort(std::move(messages));
  Status first_fault;
  const auto note = [&first_fault](Status status) {
    if (first_fault && !status) first_fault = std::move(status);
  };
  for (const ArrivalMail& each : mail.arrivals) note(keep(each, asked_at));
  // After those that somebody waits for.
  for (const OddMail& each : mail.odd) note(mail_.clear_away(each));
  return first_fault;
}

Status QueueInbox::keep(const ArrivalMail& mail, Clock::time_point asked_at) {
  const QueueMessage& message = mail.message;
  HeldMessages::Held held;
  held.message = message;
  held.blob = mail.blob;
  held.etag = mail.etag;
  held.trace = mail.trace;
  held.event_time = mail.time;
  held.hidden_until = asked_at + options_.visibility;
  held.renew_at = asked_at + milliseconds(options_.visibility) / 2;
  bool abandoned = false;
  {
    const Lock lock(mutex_);
    abandoned = abandoned_;
    if (!abandoned && held_.add(std::move(held), Clock::now())) {
      changed_.notify_all();
      return {};
    }
  }
  if (!abandoned) return mail_.queue().remove(message.id, message.receipt);
  DROPSCORE_CHECK(mail_.queue().extend(message.id, message.receipt, seconds(0)));
  return {};
}

/// The message of a delivery, as its latest renewal left it; nobody else does anything about it until end().
Result<QueueMessage> QueueInbox::begin_to_end(const Envelope& envelope) {
  Lock lock(mutex_);
  HeldMessages::Held* held = held_.find(envelope);
  while (held != nullptr && held->in_use) {
    changed_.wait(lock);
    held = held_.find(envelope);
  }
  if (held != nullptr && !held->lost) {
    held->in_use = true;
    return held->message;
  }
  if (held != nullptr) held_.end(*HeldMessages::key_of(envelope), Clock::now());
  changed_.notify_all();
  return fail(ErrorKind::not_found, "this delivery has ended already");
}

void QueueInbox::end(const Envelope& envelope, milliseconds pause) {
  const Lock lock(mutex_);
  held_.end(*HeldMessages::key_of(envelope), Clock::now() + pause);
  changed_.notify_all();
}

Status QueueInbox::acknowledge(const Envelope& envelope) {
  DROPSCORE_TRY(const QueueMessage message, begin_to_end(envelope));
  Status removed = queue_.remove(message.id, message.receipt);
  if (envelope.etag) lost_blobs_.done(envelope.blob, *envelope.etag);
  end(envelope, milliseconds(0));
  return removed;
}

Status QueueInbox::retry(const Envelope& envelope, milliseconds delay) {
  DROPSCORE_TRY(const QueueMessage message, begin_to_end(envelope));
  const Result<std::string> given_back = queue_.extend(message.id, message.receipt, whole_seconds(delay));
  end(envelope, std::clamp<milliseconds>(delay, milliseconds(0), longest_visibility));
  if (!given_back) return tl::unexpected(given_back.error());
  return {};
}

Status QueueInbox::dead_letter(const Envelope& envelope, std::string_view reason) {
  DROPSCORE_TRY(const QueueMessage message, begin_to_end(envelope));
  Status done = mail_.dead_letter({reason, envelope.blob, envelope.etag, message.dequeue_count, message.text});
  if (done) done = queue_.remove(message.id, message.receipt);
  if (done && envelope.etag) lost_blobs_.done(envelope.blob, *envelope.etag);
  end(envelope, milliseconds(0));
  return done;
}

void QueueInbox::stop() {
  sweeper_.stop();
  const Lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void QueueInbox::abandon() {
  stop();
  Lock lock(mutex_);
  abandoned_ = true;
  give_back(lock, held_.keys());
}

/// As far as the service can be reached: what could not be given back comes to others when its visibility has run out.
void QueueInbox::give_back(Lock& lock, const std::vector<HeldMessages::Key>& keys) {
  for (const HeldMessages::Key key : keys) {
    const Status given = give_back(lock, key);
    if (given || given.error().kind == ErrorKind::not_found) continue;
    log::warning("give_back_failed", {{"error", given.error().detail.text}});
    return;
  }
}

Status QueueInbox::give_back(Lock& lock, HeldMessages::Key key) {
  HeldMessages::Held* held = held_.find(key);
  while (held != nullptr && held->in_use) {
    changed_.wait(lock);
    held = held_.find(key);
  }
  if (held == nullptr) return {};
  Result<std::string> given;
  if (!held->lost) {
    held->in_use = true;
    const QueueMessage message = held->message;
    lock.unlock();
    given = mail_.queue().extend(message.id, message.receipt, seconds(0));
    lock.lock();
  }
  held_.end(key, Clock::now());
  changed_.notify_all();
  DROPSCORE_CHECK(std::move(given));
  return {};
}

void QueueInbox::renew_again_and_again() {
  Lock lock(mutex_);
  while (!ending_) {
    const std::optional<HeldMessages::Key> next = held_.next_renewal();
    if (!next) {
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point when = held_.find(*next)->renew_at;
    if (when > Clock::now()) {
      changed_.wait_until(lock, when);
    } else {
      renew(lock, *next);
    }
  }
}

void QueueInbox::renew(Lock& lock, HeldMessages::Key key) {
  HeldMessages::Held& held = *held_.find(key);  // stays: nobody ends what is in use
  held.in_use = true;
  const QueueMessage message = held.message;
  lock.unlock();
  const Clock::time_point asked_at = Clock::now();
  Result<std::string> receipt = mail_.queue().extend(message.id, message.receipt, options_.visibility);
  const Clock::time_point now = Clock::now();
  lock.lock();
  held.in_use = false;
  if (receipt) {
    held.message.receipt = *std::move(receipt);
    held.hidden_until = asked_at + options_.visibility;
    held.renew_at = asked_at + milliseconds(options_.visibility) / 2;
  } else if (receipt.error().kind == ErrorKind::not_found || now >= held.hidden_until) {
    held.lost = true;
    telemetry::add(telemetry::Metric::deliveries_lost);
    const telemetry::InSpan in(held.trace);
    log::warning("delivery_lost", {{"blob", held.blob}, {"error", receipt.error().detail.text}});
  } else {
    held.renew_at = now + std::min<milliseconds>(milliseconds(options_.visibility) / 20, seconds(1));
  }
  changed_.notify_all();
}

Status QueueInbox::sweep(Clock::time_point start) {
  std::optional<Result<std::uint64_t>> length;  // as the look begins, where it may matter
  if (lost_blobs_.any_pending()) length = mail_.queue().length();
  lost_blobs_.begin(start);
  DROPSCORE_CHECK(find_pending_([this](const store::BlobInfo& info) {
    const Lock lock(mutex_);
    if (!held_.holds(info.name)) lost_blobs_.found(info);
    return !stopped_;
  }));
  if (sweeper_.stopping()) return {};
  lost_blobs_.end();
  if (lost_blobs_.lost(true).empty()) return {};
  if (length && !*length) return pass_on(*std::move(length));
  const std::vector<store::BlobInfo> lost = lost_blobs_.lost(length && **length == 0);
  for (const store::BlobInfo& info : lost) {
    if (sweeper_.stopping()) return {};
    DROPSCORE_CHECK(mail_.announce(info.name, info.etag));
    lost_blobs_.told(info.name);
    telemetry::add(telemetry::Metric::sweep_found);
  }
  if (!lost.empty()) log::info("events_made_up_for", {{"queue", queue_.name()}, {"blobs", lost.size()}});
  return {};
}

}  // namespace

Status QueueInboxOptions::validate() const {
  if (visibility < seconds(1) || visibility > longest_visibility) {
    return fail(ErrorKind::misuse, "the visibility of messages is not within 1 s to 7 days");
  }
  if (first_idle_wait < milliseconds(1) || last_idle_wait < first_idle_wait || last_idle_wait > longest_wait) {
    return fail(ErrorKind::misuse,
                "the waits at an empty queue are not within 1 ms to a day, the first at most the last");
  }
  if (sweep_patience < milliseconds(1)) return fail(ErrorKind::misuse, "the sweep's patience is under 1 ms");
  DROPSCORE_CHECK(retry.validate());
  return sweep.validate();
}

Result<std::unique_ptr<Inbox>> open_queue_inbox(const azure::Account& account, const std::string& queue,
                                                const std::shared_ptr<net::HttpClient>& client, store::BlobStore& input,
                                                FindPending find_pending, const QueueInboxOptions& options) {
  DROPSCORE_CHECK(options.validate());
  DROPSCORE_CHECK(validate_queue_name(queue));
  DROPSCORE_TRY(const std::string poison, dead_letter_queue(queue));
  if (account.queue_endpoint.empty()) {
    return fail(ErrorKind::misuse,
                "the account's queue service is not known: give a connection string, or the queue's URL");
  }
  return std::make_unique<QueueInbox>(account, queue, poison, client, input, std::move(find_pending), options);
}

}  // namespace dropscore::event
