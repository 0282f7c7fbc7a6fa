#include "app/function/handler.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/function/payload_filter.h"
#include "app/function/payload_store.h"
#include "app/http/problem.h"
#include "app/http/request_log.h"
#include "base/log.h"
#include "base/logged_ms.h"
#include "store/memory_store.h"
#include "telemetry/trace.h"

namespace dropscore::function {
namespace {

using http::EndpointReply;
using Clock = std::chrono::steady_clock;

// Without a payload to decode, what is wanted of an invocation are names, none of which is longer.
constexpr std::size_t max_name_string_bytes = 64 * limits::kib;
// Of everything but the payload; the rest is properties and metadata of one blob.
constexpr std::size_t max_metadata_bytes = limits::mib;
// With a filter, what a body may hold beyond what is kept costs nothing.
constexpr std::uint64_t max_envelope_bytes = 16ULL << 30U;

EndpointReply failed(unsigned status, const std::string& why) {
  EndpointReply reply;
  reply.status = status;
  reply.body = http::problem_json({.status = status, .detail = why, .errors_json = {}});
  reply.content_type = "application/json";  // which the host insists on
  return reply;
}

/// Any other status than 200 to 299 makes the host try again, and set aside after five times.
unsigned status_of_failure(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::changed:
    case ErrorKind::not_found:
    case ErrorKind::try_later: return 503;
    case ErrorKind::reject:
    case ErrorKind::too_large:
    case ErrorKind::misuse:
    case ErrorKind::give_up: return 500;
  }
  return 500;
}

/// Does the result that is there already say that the file could not be scored?
Result<bool> holds_error_document(store::BlobStore& output, std::string_view blob) {
  DROPSCORE_TRY(const store::BlobProperties found, output.properties(job::result_name(blob)));
  const auto status = found.metadata.find("processing_status");
  return status != found.metadata.end() && status->second == "error";
}

}  // namespace

/// What became of a blob.
struct Handler::Done {
  job::ScoreReport report;
  bool rejected = false;                ///< there is an error document
  std::optional<std::string> document;  ///< for the output binding
};

Status HandlerOptions::validate() const {
  if (function.empty() || function.find_first_of("/?# \t\r\n") != std::string::npos) {
    return fail(ErrorKind::misuse, "the function's name must be that of its folder, which is its path");
  }
  if (input_binding.empty() || output_binding.empty()) return fail(ErrorKind::misuse, "a binding's name is empty");
  if (max_payload_bytes > 64 * limits::mib) {
    return fail(ErrorKind::misuse,
                "the limit on a payload that is scored must be at most 64 MiB: it is held in memory");
  }
  return score.validate();
}

Handler::Handler(HandlerOptions options, job::FileScorerSource scorer, OpenStores stores)
    : options_(std::move(options)), scorer_(std::move(scorer)), stores_(std::move(stores)) {}

std::size_t Handler::max_string_bytes() const {
  if (options_.output == Output::store) return max_name_string_bytes;
  return std::max(max_name_string_bytes, (options_.max_payload_bytes + 2) / 3 * 4);
}

/// A blob that changes while it is read is read again: what counts is how it is now.
Result<job::ScoreReport> Handler::score_as_it_is_now(const job::Containers& stores, std::string_view blob) const {
  for (int attempt = 1;; ++attempt) {
    Result<job::ScoreReport> report = job::score_blob(stores, blob, *scorer_(), options_.score);
    if (report || attempt == limits::max_attempts) return report;
    const ErrorKind kind = report.error().kind;
    if (kind != ErrorKind::changed && kind != ErrorKind::not_found) return report;
  }
}

Result<Handler::Done> Handler::score_in_stores(const event::BlobName& blob) const {
  DROPSCORE_TRY(const Stores stores, stores_(blob));
  Done done;
  DROPSCORE_TRY(done.report, score_as_it_is_now({stores.input.get(), stores.output.get()}, blob.blob));
  done.rejected = done.report.outcome == job::Outcome::error_document;
  if (done.report.outcome == job::Outcome::already_done) {  // a failed invocation comes again: it fails again
    DROPSCORE_TRY(done.rejected, holds_error_document(*stores.output, blob.blob));
  }
  return done;
}

Result<Handler::Done> Handler::score_payload(Invocation invocation) const {
  const event::BlobName& blob = invocation.blob;
  std::unique_ptr<store::BlobStore> input;
  if (invocation.payload) {
    input = payload_store(blob, std::move(*invocation.payload));
  } else {
    const std::string why =
        fmt::format("the file is over the {} bytes that this function takes; split it, or ask its operator for more",
                    options_.max_payload_bytes);
    input = unreadable_payload(blob, {ErrorKind::too_large, {why}, {why}});
  }
  const std::unique_ptr<store::BlobStore> output = store::make_memory_store("output");
  Done done;
  const job::Containers stores{input.get(), output.get()};
  DROPSCORE_TRY(done.report, job::score_blob(stores, blob.blob, *scorer_(), options_.score));
  done.rejected = done.report.outcome == job::Outcome::error_document;
  DROPSCORE_TRY(done.document, store::read_all(*output, job::result_name(blob.blob), std::string::npos));
  return done;
}

Result<Handler::Done> Handler::score(Invocation invocation) const {
  // The filter counts in base64's groups of three bytes.
  if (invocation.payload && invocation.payload->size() > options_.max_payload_bytes) invocation.payload.reset();
  if (!invocation.payload && stores_) return score_in_stores(invocation.blob);
  if (!invocation.has_entry) {
    return fail(ErrorKind::misuse, fmt::format("the invocation's Data has no {}: function.json calls the trigger "
                                               "differently, see --input-binding",
                                               options_.input_binding));
  }
  return score_payload(std::move(invocation));
}

EndpointReply Handler::invoke(std::string_view body, const std::string& id) const {
  const Clock::time_point begun = Clock::now();
  telemetry::Span span("invocation", telemetry::SpanKind::consumer);
  span.set("faas.trigger", "datasource");
  span.set("faas.invocation_id", id);
  if (body.size() > max_string_bytes() + max_metadata_bytes) return failed(413, "the invocation is too large");
  EnvelopeOptions envelope;
  envelope.input_binding = options_.input_binding;
  envelope.input_container = options_.input_container;
  envelope.wants_payload = options_.output == Output::binding;
  Result<Invocation> invocation = parse_invocation(body, envelope);
  if (!invocation) {
    log::error("invocation_refused", {{"invocation", id}, {"error", invocation.error().detail.text}});
    return failed(400, invocation.error().customer.text);
  }
  const std::string blob = invocation->blob.blob;
  const Result<Done> done = score(std::move(*invocation));
  const Milliseconds took = Clock::now() - begun;
  span.set("dropscore.blob", blob);
  if (done) return reply_to(*done, blob, id, took);
  span.fail(name(done.error().kind));
  log::error("invocation_failed", {{"invocation", id},
                                   {"blob", blob},
                                   {"kind", name(done.error().kind)},
                                   {"error", done.error().detail.text},
                                   {"duration_ms", logged_ms(took)}});
  return failed(status_of_failure(done.error().kind), done.error().customer.text);
}

EndpointReply Handler::reply_to(const Done& done, const std::string& blob, const std::string& id,
                                Milliseconds took) const {
  const job::ScoreReport& report = done.report;
  log::info("invocation", {{"invocation", id},
                           {"blob", blob},
                           {"outcome", job::name(report.outcome)},
                           {"etag", report.etag},
                           {"model_version", report.model_version},
                           {"rows", report.counts.scored},
                           {"rejected", report.counts.rejected},
                           {"duration_ms", logged_ms(took)}});
  // The outputs of a failed invocation are not written: with the binding, the error document needs a success.
  if (done.rejected && !done.document) {
    return failed(500, report.notes.empty() ? "the file cannot be scored; its error document says what to mend"
                                            : report.notes.back());
  }
  std::vector<std::string> logs{fmt::format("{}: {} rows scored, {} rejected, in {:.0f} ms, by model {}",
                                            job::name(report.outcome), report.counts.scored, report.counts.rejected,
                                            took.count(), report.model_version)};
  logs.insert(logs.end(), report.notes.begin(), report.notes.end());
  EndpointReply reply;
  reply.body = invocation_reply(options_.output_binding, done.document, logs);
  return reply;
}

std::vector<http::Endpoint> function_endpoints(const std::shared_ptr<const Handler>& handler) {
  http::Endpoint probe;
  probe.path = "/";
  probe.allow = "GET, HEAD";
  probe.immediate = true;
  probe.answer = [](const http::EndpointRequest&) {
    EndpointReply reply;
    reply.body = R"({"status":"healthy"})";
    return reply;
  };
  http::Endpoint invocation;
  invocation.path = "/" + handler->options().function;
  invocation.allow = "POST";
  invocation.max_body_bytes = max_envelope_bytes;
  invocation.filter = [most = handler->max_string_bytes()] { return std::make_unique<PayloadFilter>(most); };
  invocation.answer = [handler](const http::EndpointRequest& request) {
    return handler->invoke(request.body, http::request_id(request.parser.field("X-Azure-Functions-InvocationId")));
  };
  return {std::move(probe), std::move(invocation)};
}

}  // namespace dropscore::function
