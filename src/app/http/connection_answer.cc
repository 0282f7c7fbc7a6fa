#include "app/http/live_connection.h"

#include <algorithm>
#include <coroutine>
#include <exception>

#include "base/log.h"
#include "telemetry/metrics.h"

namespace dropscore::http {
namespace {

/// Goes on once a worker has done `work`; throws what it threw.
struct OnWorker {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    workers.run([this, waiting] {
      try {
        work();
      } catch (...) {
        thrown = std::current_exception();
      }
      loop.post([waiting] { waiting.resume(); });  // the last use of *this
    });
  }
  void await_resume() const {
    if (thrown) std::rethrow_exception(thrown);
  }

  EventLoop& loop;
  Workers& workers;
  std::function<void()> work;
  std::exception_ptr thrown = nullptr;
};

/// Goes on at the call's end, or once the connection was closed.
struct Over {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) const {
    call.when_over([&to = loop, waiting] { to.post([waiting] { waiting.resume(); }); });
  }
  void await_resume() const noexcept {}

  EventLoop& loop;
  EndpointCall& call;
};

}  // namespace

bool Connection::may_keep_alive(const Request& request) const {
  if (!request.understood || request.framing_lost || !request.head().keep_alive || shared().draining) return false;
  if (!request.body_pending) return true;
  const std::optional<std::uint64_t> length = request.head().content_length;
  return !request.continue_asked && length && *length <= discard_bytes;
}

Task<void> Connection::answer(Request& request, unsigned status, std::string_view type, std::string_view body,
                              std::span<const Header> headers) {
  request.record.status = status;
  request.keep_alive = may_keep_alive(request);
  ResponseHead head;
  head.status = status;
  head.content_type = type;
  head.content_length = body.size();
  head.keep_alive = request.keep_alive;
  head.request_id = request.record.id;
  head.model_version = request.model_version;
  head.headers = headers;
  if (request.understood) head.http_1_1 = request.head().http_1_1;
  std::string text;
  append_head(text, head);
  if (request.understood && request.head().method == "HEAD") body = {};
  const bool small = body.size() <= flush_bytes;
  if (small) text += body;
  const bool sent = co_await send_all(request, text);
  if (sent && !small) co_await send_all(request, body);
}

Task<void> Connection::refuse(Request& request, const Problem& problem) {
  const std::string body = problem_json(problem);
  co_await answer(request, problem.status, problem_type, body, problem.headers);
}

std::string Connection::health_body() const {
  return shared().scorer ? shared().scorer().health_json() : R"({"status":"healthy"})";
}

Task<void> Connection::answer_health(Request& request) {
  const std::string body = health_body();
  co_await answer(request, 200, text_of(MediaType::json), body);
}

bool Connection::too_many_waiting() const { return around_.workers.waiting() >= shared().options.max_waiting_work; }

Problem Connection::busy() const {
  count_turned_away("waiting");
  return {.status = 503,
          .detail = "too many large requests are waiting; try again",
          .errors_json = {},
          .headers = {{"Retry-After", "1"}}};
}

void Connection::count_turned_away(std::string_view reason) const {
  if (shared().options.records_requests) telemetry::add(telemetry::Metric::http_turned_away, 1, {reason});
}

/// A client that comes back at once would take the machine from those that are being served: it is made to wait.
Task<void> Connection::refuse_late(Request& request, const Problem& problem) {
  if (!shared().draining) {
    co_await socket_.pause(Clock::now() + std::chrono::milliseconds(shared().options.refusal_pause_ms));
  }
  co_await refuse(request, problem);
}

Task<void> Connection::on_worker(std::function<void()> work) {
  OnWorker done{around_.loop, around_.workers, std::move(work)};
  co_await done;
}

Task<void> Connection::answer_json(Request& request) {
  Share memory(shared().buffered_body_bytes, shared().options.max_buffered_body_bytes);
  std::string body;
  const bool complete = co_await read_whole(request, memory, body);
  if (!complete) {
    if (request.failure) co_await refuse(request, *request.failure);
    co_return;
  }
  std::string text;
  tl::expected<job::ScoreCounts, job::Refusal> scored;
  std::optional<job::Scorer> scorer;
  const auto work = [&] {
    scorer.emplace(shared().scorer());  // once it is this body's turn
    scored = scorer->score_json(body, {}, text);
  };
  if (body.size() <= inline_body_bytes) {
    work();
  } else if (too_many_waiting()) {
    body = {};
    memory.give_back();
    co_await refuse_late(request, busy());
    co_return;
  } else {
    co_await on_worker(work);
  }
  request.model_version = scorer->model_version();
  request.record.counts = scored ? *scored : scored.error().counts;
  if (scored) {
    co_await answer(request, 200, text_of(MediaType::json), text);
    co_return;
  }
  const Problem problem = problem_of(scored.error());
  if (problem.status >= 500) {
    const telemetry::InSpan in(request.record.span.context);
    log::error("request_failed", {{"request_id", request.record.id}, {"error", scored.error().error.detail.text}});
  }
  co_await refuse(request, problem);
}

Task<void> Connection::answer_endpoint(Request& request, std::shared_ptr<const Endpoint> endpoint) {
  Share memory(shared().buffered_body_bytes, shared().options.max_buffered_body_bytes);
  std::string body;
  bool complete = true;
  if (endpoint->filter && request.body_pending) {
    const std::unique_ptr<BodyFilter> filter = endpoint->filter();
    complete = co_await read_filtered(request, memory, *filter, body);
  } else if (request.body_pending) {
    complete = co_await read_whole(request, memory, body);
  }
  if (!complete) {
    if (request.failure) co_await refuse(request, *request.failure);
    co_return;
  }
  const auto call =
      std::make_shared<EndpointCall>(endpoint, request.parser, std::move(body), request.record.span.context);
  if (endpoint->immediate) {
    call->run();
  } else {
    call_ = call;
    shared().endpoint_threads.run(call);
    const Over over{around_.loop, *call};
    co_await over;
    call_.reset();
  }
  EndpointReply reply;
  if (call->take_reply(reply)) {
    co_await answer(request, reply.status, reply.content_type, reply.body, reply.headers);
  } else {
    request.keep_alive = false;
    request.record.aborted = true;
  }
}

}  // namespace dropscore::http
