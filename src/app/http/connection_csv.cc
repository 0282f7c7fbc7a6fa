#include "app/http/live_connection.h"

#include <algorithm>

#include "base/log.h"

namespace dropscore::http {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t hold_back_bytes = limits::mib;  // of an answer that may yet become a refusal

}  // namespace

Task<void> Connection::answer_csv(Request& request, job::Format format) {
  job::ScoreOptions options;
  options.format = format;
  const job::Scorer scorer = shared().scorer();
  job::ScoreStream stream = scorer.stream(options);
  StreamedAnswer streamed(shared());
  streamed.type = format == job::Format::csv ? MediaType::csv : MediaType::json;
  bool admitted = false;  // to the workers' queue; whoever was once has its turn to the end
  for (;;) {
    Result<job::ScoreStream::Step> step = job::ScoreStream::Step::end;
    const auto work = [&] { step = stream.next(streamed.text); };
    if (request.record.body_bytes <= inline_body_bytes) {
      work();
    } else if (!admitted && !streamed.begun && too_many_waiting()) {
      co_await refuse_late(request, busy());
      co_return;
    } else {
      admitted = true;
      co_await on_worker(work);
    }
    request.record.counts = stream.counts();
    request.model_version = scorer.model_version();
    if (!step) {
      Problem problem = problem_of(step.error());
      problem.errors_json = stream.rejections_json();
      if (problem.status >= 500 || streamed.begun) {
        const telemetry::InSpan in(request.record.span.context);
        log::error("request_failed", {{"request_id", request.record.id}, {"kind", name(step.error().kind)}});
      }
      co_await fail_stream(request, streamed, std::move(problem));
      co_return;
    }
    if (*step == job::ScoreStream::Step::end) break;
    const bool asks = *step == job::ScoreStream::Step::need_bytes;
    const bool may_begin = streamed.begun || stream.scored_any() || streamed.text.size() > hold_back_bytes;
    // What is scored goes out before the client is waited for.
    const bool waits = asks && !streamed.text.empty() && must_wait(request);
    if (may_begin && (waits || streamed.text.size() >= flush_bytes)) {
      const bool sent = co_await stream_out(request, streamed, false);
      if (!sent) co_return;
    }
    if (!asks) continue;
    std::size_t count = 0;
    const BodyStep read = co_await read_body(request, stream.room(), count);
    switch (read) {
      case BodyStep::bytes: stream.commit(count); break;
      case BodyStep::end: stream.finish(); break;
      case BodyStep::failed:
        if (request.failure) co_await fail_stream(request, streamed, *request.failure);
        co_return;
    }
  }
  if (streamed.begun) {
    co_await stream_out(request, streamed, true);
  } else {
    co_await answer(request, 200, text_of(streamed.type), streamed.text);
  }
}

/// An answer that has begun cannot become a problem document: it ends without its end, which the client notices.
Task<void> Connection::fail_stream(Request& request, const StreamedAnswer& streamed, Problem problem) {
  if (!streamed.begun) {
    co_await refuse(request, problem);
    co_return;
  }
  request.keep_alive = false;
  request.record.aborted = true;
  {
    const telemetry::InSpan in(request.record.span.context);
    log::warning(
        "answer_aborted",
        {{"request_id", request.record.id}, {"status", problem.status}, {"sent_bytes", request.record.sent_bytes}});
  }
  if (!request.head().http_1_1) socket_.reset();
}

Task<bool> Connection::stream_out(Request& request, StreamedAnswer& streamed, bool last) {
  std::string& frame = streamed.frame;
  frame.clear();
  const bool chunked = request.head().http_1_1;
  if (!streamed.begun) {
    streamed.begun = true;
    request.record.status = 200;
    request.keep_alive = chunked && request.head().keep_alive && !shared().draining;
    ResponseHead head;
    head.content_type = text_of(streamed.type);
    head.framing = chunked ? Framing::chunked : Framing::to_close;
    head.http_1_1 = chunked;
    head.keep_alive = request.keep_alive;
    head.request_id = request.record.id;
    head.model_version = request.model_version;
    append_head(frame, head);
  }
  if (!chunked) {
    frame += streamed.text;
  } else if (!streamed.text.empty()) {
    append_chunk(frame, streamed.text);
  }
  if (chunked && last) frame += last_chunk;
  streamed.text.clear();
  return queue(request, streamed, last);
}

/// Sends the frame, or lays it aside while the client sends and does not read: two sides that both wait to be read
/// would wait for ever.
Task<bool> Connection::queue(Request& request, StreamedAnswer& streamed, bool last) {
  const ServerOptions& options = shared().options;
  std::string_view rest = streamed.frame;
  if (streamed.spool) {
    if (!last && lay_aside(request, streamed, rest)) co_return true;
    const bool emptied = co_await empty_spool(request, streamed);
    if (!emptied) co_return false;
  }
  if (!last && !streamed.spool_failed && options.max_spool_bytes > 0) {
    const Io sent =
        co_await socket_.send(rest, milliseconds(std::min(options.answer_stall_ms, options.write_timeout_ms)));
    request.record.sent_bytes += streamed.frame.size() - rest.size();
    if (sent == Io::ok) co_return true;
    if (sent == Io::timed_out && lay_aside(request, streamed, rest)) co_return true;
  }
  co_return co_await send_all(request, rest);
}

bool Connection::lay_aside(const Request& request, StreamedAnswer& streamed, std::string_view bytes) {
  const telemetry::InSpan in(request.record.span.context);
  if (!streamed.spool_share.take(bytes.size())) return false;
  if (!streamed.spool) {
    Result<Spool> opened = Spool::open(shared().options.spool_folder);
    if (!opened) {
      log::warning("no_spool", {{"error", opened.error().detail.text}});
      streamed.spool_failed = true;
      return false;
    }
    streamed.spool = std::move(*opened);
  }
  const Status kept = streamed.spool->append(bytes);
  if (!kept) log::warning("no_spool", {{"error", kept.error().detail.text}});
  return kept.has_value();
}

Task<bool> Connection::empty_spool(Request& request, StreamedAnswer& streamed) {
  std::string piece;
  for (;;) {
    piece.resize(flush_bytes);
    const Result<std::size_t> count = streamed.spool->take(piece);
    if (!count) {
      const telemetry::InSpan in(request.record.span.context);
      log::error("no_spool", {{"error", count.error().detail.text}});
      request.keep_alive = false;
      request.record.aborted = true;
      socket_.reset();
      co_return false;
    }
    if (*count == 0) break;
    const bool sent = co_await send_all(request, std::string_view(piece).substr(0, *count));
    if (!sent) co_return false;
  }
  streamed.spool.reset();
  streamed.spool_share.give_back();
  co_return true;
}

}  // namespace dropscore::http
