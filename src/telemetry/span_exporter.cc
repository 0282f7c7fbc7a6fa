#include "telemetry/span_exporter.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "telemetry/metrics.h"
#include "telemetry/otlp.h"

namespace dropscore::telemetry {
namespace {

using Clock = Deadline::Clock;
using std::chrono::milliseconds;

constexpr int max_tries = 5;
constexpr milliseconds first_retry_delay{1000};      ///< doubled for each further try, and made up to a half longer
constexpr milliseconds longest_retry_delay{30'000};  ///< also of what the collector asks for
constexpr milliseconds complaint_interval{60'000};   ///< between two lines in the log about one trouble
constexpr std::size_t max_message_characters = 200;  ///< of a collector's own words

// Why spans do not reach the collector, as docs/operations.md has it.
constexpr const char* no_room = "dropped";
constexpr const char* not_taken = "failed";

/// What OTLP/HTTP says may be sent again; anything else is refused for good.
bool is_retryable(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

milliseconds retry_delay(int tries, const std::optional<milliseconds>& asked) {
  thread_local std::minstd_rand jitter{std::random_device{}()};
  if (asked) return std::clamp(*asked, milliseconds(0), longest_retry_delay);
  const milliseconds base = std::min(first_retry_delay * (1 << (tries - 1)), longest_retry_delay);
  return base + milliseconds(std::uniform_int_distribution<std::int64_t>(0, base.count() / 2)(jitter));
}

/// A trouble is told once, and again after a while.
class Complaint {
 public:
  bool due() {
    const Clock::time_point now = Clock::now();
    if (told_ && now - *told_ < complaint_interval) return false;
    told_ = now;
    return true;
  }

 private:
  std::optional<Clock::time_point> told_;
};

}  // namespace

struct SpanExporter::State {
  State(const TraceSettings& from, Send to)
      : settings(from), send(std::move(to)), resource(encoded_resource(from.resource)) {}

  void run();
  std::vector<FinishedSpan> next_batch(std::unique_lock<std::mutex>& lock);
  void deliver(const std::vector<FinishedSpan>& batch);
  bool wait_to_retry(milliseconds delay);
  Deadline deadline_of_a_try();
  void settle(std::size_t spans, const SendReply& reply);
  void complain(std::size_t spans, std::string_view error);
  void show_lost();

  const TraceSettings settings;
  const Send send;
  const std::string resource;

  std::mutex mutex;
  std::condition_variable changed;  // of what follows
  std::deque<FinishedSpan> queue;
  std::optional<Clock::time_point> stop_at;  ///< stop() was called: nothing is begun after this
  bool ended = false;                        ///< the thread has nothing more to do
  std::stop_source cancelling;               ///< of a send under way

  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::atomic<std::uint64_t> failed = 0;
  // The thread's own.
  std::uint64_t told_dropped = 0;
  Complaint drops;
  Complaint failures;
  Complaint remarks;
  // A scrape's own: whoever has a span dropped may be answering customers, and touches no metric.
  std::uint64_t shown_dropped = 0;
  std::uint64_t shown_failed = 0;
  OnScrape shown{[this] { show_lost(); }};
  std::thread thread;
};

void SpanExporter::State::show_lost() {
  const auto show = [](std::uint64_t& shown_before, std::uint64_t now, const char* reason) {
    telemetry::add(Metric::spans_lost, static_cast<double>(now - std::exchange(shown_before, now)), {reason});
  };
  show(shown_dropped, dropped, no_room);
  show(shown_failed, failed, not_taken);
}

/// Full, or old enough, or the last; empty at the end.
std::vector<FinishedSpan> SpanExporter::State::next_batch(std::unique_lock<std::mutex>& lock) {
  changed.wait_for(lock, settings.delay, [this] { return stop_at || queue.size() >= settings.max_batch; });
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue.size(), settings.max_batch));
  std::vector<FinishedSpan> batch(std::make_move_iterator(queue.begin()),
                                  std::make_move_iterator(queue.begin() + count));
  queue.erase(queue.begin(), queue.begin() + count);
  return batch;
}

void SpanExporter::State::run() {
  for (;;) {
    std::unique_lock lock(mutex);
    const std::vector<FinishedSpan> batch = next_batch(lock);
    if (stop_at && (batch.empty() || Clock::now() >= *stop_at)) {
      failed += batch.size() + queue.size();
      queue.clear();
      ended = true;
      changed.notify_all();
      return;
    }
    lock.unlock();
    if (const std::uint64_t now = dropped; now > told_dropped && drops.due()) {
      log::warning("spans_dropped", {{"spans", now - std::exchange(told_dropped, now)}});
    }
    if (!batch.empty()) deliver(batch);
  }
}

Deadline SpanExporter::State::deadline_of_a_try() {
  const std::lock_guard lock(mutex);
  if (!stop_at) return Deadline::in(settings.timeout);
  const auto left = std::chrono::duration_cast<milliseconds>(*stop_at - Clock::now());
  return Deadline::in(std::clamp(left, milliseconds(0), settings.timeout));
}

/// False where there is no time for it.
bool SpanExporter::State::wait_to_retry(milliseconds delay) {
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, delay, [this] { return stop_at.has_value(); });
}

void SpanExporter::State::deliver(const std::vector<FinishedSpan>& batch) {
  const std::string body = encoded_request(resource, batch);
  for (int tries = 1;; ++tries) {
    const Result<SendReply> reply = send(body, deadline_of_a_try(), cancelling.get_token());
    if (reply && reply->status >= 200 && reply->status < 300) return settle(batch.size(), *reply);
    const bool again = (!reply || is_retryable(reply->status)) && tries < max_tries;
    const std::optional<milliseconds> asked = reply ? reply->retry_after : std::nullopt;
    if (again && wait_to_retry(retry_delay(tries, asked))) continue;
    return complain(batch.size(),
                    reply ? "the collector answered " + std::to_string(reply->status) : reply.error().detail.text);
  }
}

void SpanExporter::State::settle(std::size_t spans, const SendReply& reply) {
  const std::optional<PartialSuccess> partial = partial_success(reply.body);
  const auto rejected =
      static_cast<std::size_t>(std::clamp<std::int64_t>(partial ? partial->rejected : 0, 0, std::int64_t(spans)));
  sent += spans - rejected;
  failed += rejected;
  if (partial && remarks.due()) {
    log::warning("spans_rejected", {{"spans", rejected}, {"error", excerpt(partial->message, max_message_characters)}});
  }
}

void SpanExporter::State::complain(std::size_t spans, std::string_view error) {
  failed += spans;
  if (failures.due()) log::warning("export_failed", {{"spans", spans}, {"error", error}});
}

SpanExporter::SpanExporter(const TraceSettings& settings, Send send)
    : state_(std::make_unique<State>(settings, std::move(send))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

SpanExporter::~SpanExporter() { stop(milliseconds(0)); }

void SpanExporter::add(FinishedSpan span) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (state.stop_at || state.queue.size() >= state.settings.max_queue) {
    ++state.dropped;
    return;
  }
  state.queue.push_back(std::move(span));
  if (state.queue.size() == state.settings.max_batch) state.changed.notify_all();
}

void SpanExporter::stop(milliseconds patience) {
  State& state = *state_;
  {
    std::unique_lock lock(state.mutex);
    if (!state.stop_at) state.stop_at = Clock::now() + patience;
    state.changed.notify_all();
    state.changed.wait_until(lock, *state.stop_at, [&state] { return state.ended; });
  }
  state.cancelling.request_stop();
  if (state.thread.joinable()) state.thread.join();
}

SpanExporter::Counts SpanExporter::counts() const { return {state_->sent, state_->dropped, state_->failed}; }

namespace {

/// The process's; never destroyed, for threads may outlive main's end. An exporter that has ended stays, for a thread
/// that is just about to add a span to it.
struct Process {
  std::mutex mutex;
  std::vector<std::unique_ptr<SpanExporter>> all;
  std::atomic<SpanExporter*> present = nullptr;
  Sampler sampler;
};

Process& process() {
  static Process& instance = *new Process;
  return instance;
}

}  // namespace

bool exports_spans() { return process().present.load(std::memory_order_acquire) != nullptr; }

void end_span(FinishedSpan span) {
  if (!span.identity.recorded) return;
  if (SpanExporter* const exporter = process().present) exporter->add(std::move(span));
}

void set_sampler(const Sampler& sampler) { process().sampler = sampler; }

void start_export(const TraceSettings& settings, Send send) {
  set_sampler(settings.sampler);
  Process& here = process();
  const std::lock_guard lock(here.mutex);
  here.all.push_back(std::make_unique<SpanExporter>(settings, std::move(send)));
  here.present = here.all.back().get();
}

void stop_export(milliseconds patience) {
  if (SpanExporter* const exporter = process().present.exchange(nullptr)) exporter->stop(patience);
}

SpanExporter::Counts export_counts() {
  Process& here = process();
  const std::lock_guard lock(here.mutex);
  SpanExporter::Counts sum;
  for (const auto& exporter : here.all) {
    const SpanExporter::Counts counts = exporter->counts();
    sum.sent += counts.sent;
    sum.dropped += counts.dropped;
    sum.failed += counts.failed;
  }
  return sum;
}

bool is_sampled(const TraceContext& parent) {
  const Sampler& sampler = process().sampler;
  if (sampler.by_parent && parent.has_span()) return parent.sampled;
  // The last 56 bits are random wherever the id was made; the greatest are taken, as OpenTelemetry's "Probability
  // Sampling" says.
  std::uint64_t random = 0;
  for (std::size_t i = 9; i < parent.trace_id.size(); ++i) random = random << 8U | parent.trace_id[i];
  constexpr double all = 0x1p56;
  return static_cast<double>(random) >= (1 - sampler.ratio) * all;
}

}  // namespace dropscore::telemetry
