#include "app/worker/worker.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/logged_ms.h"
#include "job/row_metrics.h"
#include "telemetry/heartbeat.h"
#include "telemetry/metrics.h"

namespace dropscore::app {
namespace {

using std::chrono::milliseconds;
using telemetry::Metric;

constexpr milliseconds take_wait{1000};
constexpr milliseconds first_retry_delay{500};
constexpr milliseconds changed_delay{1000};
/// Of one file. More than the tries that may fail: a worker's death, which counts here too, is seldom the file's fault.
constexpr int max_deliveries = 20;
/// Of a thread at work. Every wait for a service beats, and none of its limits is over three minutes; every piece of a
/// file beats, and none takes seconds. So this is a thread that hangs, and no outage.
constexpr std::chrono::minutes longest_silence{10};

/// 0.5 s, 1 s, 2 s, 4 s and on to 64 s, each lengthened by up to a half, so that many workers do not come back at once.
milliseconds retry_delay(int attempt) {
  thread_local std::minstd_rand jitter{std::random_device{}()};
  const milliseconds base = first_retry_delay * (1 << std::min(attempt - 1, 7));
  return base + milliseconds(std::uniform_int_distribution<std::int64_t>(0, base.count() / 2)(jitter));
}

// Why a file was given up, as metrics call it.
constexpr const char* tries_used_up = "tries_used_up";
constexpr const char* deliveries_used_up = "deliveries_used_up";
constexpr const char* unusable = "unusable";

/// What an error means for the file that was being scored.
enum class Verdict : std::uint8_t { retry, take_again, set_aside };

Verdict verdict(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::try_later: return Verdict::retry;
    case ErrorKind::changed:
    case ErrorKind::not_found: return Verdict::take_again;  // the next look finds out which
    case ErrorKind::reject:
    case ErrorKind::too_large:
    case ErrorKind::misuse:
    case ErrorKind::give_up: return Verdict::set_aside;
  }
  return Verdict::set_aside;
}

/// From when the event happened, if that is known, on the first delivery; on a later one from when it was taken, since
/// most of the time before that was another's.
telemetry::WallClock::time_point start_of(const event::Envelope& envelope, telemetry::WallClock::time_point taken) {
  const bool first = envelope.attempt == 1 && envelope.event_time;
  return first ? std::min(*envelope.event_time, taken) : taken;
}

void describe(telemetry::Span& span, const event::Envelope& envelope) {
  if (!span.recorded()) return;
  if (!envelope.message_id.empty()) {
    span.set("messaging.system", "azure_queue_storage");
    span.set("messaging.operation.name", "process");
    span.set("messaging.operation.type", "process");
    span.set("messaging.message.id", envelope.message_id);
  }
  span.set("dropscore.blob", envelope.blob);
  span.set("dropscore.attempt", envelope.attempt);
}

void describe(telemetry::Span& span, const job::ScoreReport& report) {
  span.set("dropscore.outcome", job::name(report.outcome));
  span.set("dropscore.etag", report.etag);
  span.set("dropscore.model_version", report.model_version);
  span.set("dropscore.rows", report.counts.scored);
  span.set("dropscore.rejected", report.counts.rejected);
}

class InProgress {
 public:
  InProgress() { telemetry::change(Metric::files_in_progress, 1); }
  ~InProgress() { telemetry::change(Metric::files_in_progress, -1); }
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;
};

double seconds(std::chrono::duration<double> time) { return time.count(); }

void count_done(const event::Envelope& envelope, const job::ScoreReport& report,
                std::chrono::steady_clock::duration took) {
  telemetry::add(Metric::files, 1, {job::name(report.outcome)});
  telemetry::observe(Metric::file_duration, seconds(took));
  telemetry::add(Metric::file_bytes, static_cast<double>(report.counts.bytes_read));
  job::count_rows("file", report.counts);
  const bool published = report.outcome == job::Outcome::scored || report.outcome == job::Outcome::error_document;
  if (!published || !envelope.event_time) return;
  const double since_event = seconds(std::chrono::system_clock::now() - *envelope.event_time);
  telemetry::observe(Metric::event_to_result, std::max(0.0, since_event));  // the event's clock may be ahead
}

void expose_metrics() {
  telemetry::expose(telemetry::Part::worker);
  for (const auto outcome :
       {job::Outcome::scored, job::Outcome::error_document, job::Outcome::already_done, job::Outcome::gone}) {
    telemetry::add(Metric::files, 0, {job::name(outcome)});
  }
  for (const char* reason : {tries_used_up, deliveries_used_up, unusable, "no_event"})
    telemetry::add(Metric::poison, 0, {reason});
  job::expose_rows("file");
}

void log_failure_of(std::string_view what, const Status& status) {
  if (!status) log::error(what, {{"error", status.error().detail.text}});
}

}  // namespace

Status WorkerOptions::validate() const {
  if (threads == 0 || threads > 256)
    return fail(ErrorKind::misuse, "the number of worker threads is not within 1 to 256");
  return score.validate();
}

Worker::Worker(const job::Containers& stores, event::Inbox& inbox, FileScorerSource scorer,
               const WorkerOptions& options)
    : stores_(stores), inbox_(inbox), scorer_(std::move(scorer)), options_(options), running_(options.threads) {
  expose_metrics();
  for (unsigned i = 0; i < options.threads; ++i) threads_.emplace_back([this] { run(); });
}

Worker::~Worker() { stop(); }

void Worker::stop() {
  stopping_ = true;
  inbox_.stop();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool Worker::stop_within(std::chrono::milliseconds patience) {
  stopping_ = true;
  inbox_.stop();
  {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, patience, [this] { return running_ == 0; })) {
      lock.unlock();
      inbox_.abandon();
      return false;
    }
  }
  stop();
  return true;
}

void Worker::run() {
  take_and_handle();
  const std::lock_guard lock(mutex_);
  if (--running_ == 0) ended_.notify_all();
}

void Worker::take_and_handle() {
  telemetry::Pulse pulse("worker", longest_silence);
  const telemetry::BeatsFor own(&pulse);
  while (!stopping_) {
    pulse.beat();
    const Result<std::optional<event::Envelope>> taken = inbox_.take(take_wait);
    if (!taken) {
      log::error("inbox_failed", {{"error", taken.error().detail.text}});
      std::this_thread::sleep_for(first_retry_delay);
    } else if (*taken) {
      handle(**taken);
    }
  }
}

void Worker::handle(const event::Envelope& envelope) {
  const auto taken = telemetry::WallClock::now();
  const auto start = start_of(envelope, taken);
  telemetry::Span span("process file", telemetry::SpanKind::consumer, envelope.trace, start);
  describe(span, envelope);
  if (start < taken) telemetry::add_past_span("wait", start, taken);
  score(envelope, span);
}

void Worker::score(const event::Envelope& envelope, telemetry::Span& span) {
  const InProgress counted;
  const auto begin = std::chrono::steady_clock::now();
  const std::shared_ptr<const job::FileScorer> scorer = scorer_();
  if (envelope.attempt > max_deliveries) {  // workers die over it, or cannot even say that they failed
    span.fail("too_many_deliveries");
    give_up(envelope, *scorer, "the file could not be scored", deliveries_used_up);
    return;
  }
  const Result<job::ScoreReport> report =
      job::score_blob(stores_, envelope.blob, *scorer, options_.score, envelope.etag);
  if (!report) {
    span.fail(name(report.error().kind));
    handle_failure(envelope, *scorer, report.error());
    return;
  }
  describe(span, *report);
  count_done(envelope, *report, std::chrono::steady_clock::now() - begin);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  log::info("file_done", {{"blob", envelope.blob},
                          {"outcome", job::name(report->outcome)},
                          {"etag", report->etag},
                          {"model_version", report->model_version},
                          {"rows", report->counts.scored},
                          {"rejected", report->counts.rejected},
                          {"bytes", report->counts.bytes_read},
                          {"attempt", envelope.attempt},
                          {"duration_ms", logged_ms(took)}});
  for (const std::string& note : report->notes) log::info("file_note", {{"blob", envelope.blob}, {"note", note}});
  event::Envelope done = envelope;
  done.etag = report->etag;  // which version it was, so that a sweep need not bring it again
  log_failure_of("acknowledge_failed", inbox_.acknowledge(done));
  // Replaced while the file was scored: the sweep that noticed it came too early for this one.
  if (options_.rescore && scorer_()->model_version().value_or("") != report->model_version) inbox_.forget_done();
}

void Worker::handle_failure(const event::Envelope& envelope, const job::FileScorer& scorer, const Error& error) {
  telemetry::add(Metric::file_failures, 1, {name(error.kind)});
  log::warning("file_failed", {{"blob", envelope.blob},
                               {"kind", name(error.kind)},
                               {"error", error.detail.text},
                               {"attempt", envelope.attempt}});
  const Verdict next = verdict(error.kind);
  if (next == Verdict::take_again) {
    log_failure_of("retry_failed", inbox_.retry(envelope, changed_delay));
    return;
  }
  // While stopping, it failed perhaps only because this process waits no longer.
  if (next == Verdict::retry && (stopping_ || envelope.attempt < limits::max_attempts)) {
    try_later(envelope);
    return;
  }
  if (next == Verdict::retry) {
    give_up(envelope, scorer, error.customer.text, tries_used_up);
    return;
  }
  if (!set_aside(envelope, scorer, error.customer.text)) return;
  telemetry::add(Metric::poison, 1, {unusable});
  log_failure_of("acknowledge_failed", inbox_.acknowledge(envelope));
}

/// Where this process is stopping, another takes it at once.
void Worker::try_later(const event::Envelope& envelope) {
  log_failure_of("retry_failed", inbox_.retry(envelope, stopping_ ? milliseconds(0) : retry_delay(envelope.attempt)));
}

void Worker::give_up(const event::Envelope& envelope, const job::FileScorer& scorer, std::string_view why,
                     const char* counted_as) {
  if (is_done(envelope)) {  // by another worker; this one came late
    log_failure_of("acknowledge_failed", inbox_.acknowledge(envelope));
    return;
  }
  const std::string reason = fmt::format("{} (tried {} times)", why, envelope.attempt);
  if (!set_aside(envelope, scorer, reason)) return;
  telemetry::add(Metric::poison, 1, {counted_as});
  log_failure_of("dead_letter_failed", inbox_.dead_letter(envelope, reason));
}

bool Worker::is_done(const event::Envelope& envelope) const {
  if (!envelope.etag) return false;
  const Result<bool> pending = job::is_pending(stores_, {envelope.blob, *envelope.etag, 0}, std::nullopt);
  return pending && !*pending;
}

/// False where storage does not even take the document that says so: that passes, mostly with what kept the file from
/// being scored, so it is delivered again, for a quarter of an hour in all.
bool Worker::set_aside(const event::Envelope& envelope, const job::FileScorer& scorer, std::string_view why) {
  const Status written = job::set_aside(stores_, envelope.blob, envelope.etag, why, scorer);
  log_failure_of("set_aside_failed", written);
  const bool may_pass = !written && verdict(written.error().kind) != Verdict::set_aside;
  if (may_pass && envelope.attempt < max_deliveries) {
    try_later(envelope);
    return false;
  }
  log::error("file_set_aside",
             {{"blob", envelope.blob}, {"attempts", envelope.attempt}, {"document", written.has_value()}});
  return true;
}

}  // namespace dropscore::app
