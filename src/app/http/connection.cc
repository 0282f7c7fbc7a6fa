#include "app/http/live_connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "app/http/negotiation.h"
#include "base/log.h"

namespace dropscore::http {

using std::chrono::milliseconds;

Connection::Connection(const Surroundings& surroundings, int socket)
    : around_(surroundings),
      socket_(surroundings.loop, socket, std::max(input_bytes, 2 * surroundings.shared.options.max_header_bytes)),
      begun_(Clock::now()) {
  around_.live.insert(this);
}

Connection::~Connection() {
  around_.live.erase(this);
  socket_.close();
  shared().connections.remove();
}

void Connection::check_deadline(Clock::time_point now) {
  socket_.check_deadline(now);
  if (idle_) socket_.in().shrink();
}

void Connection::close_if_idle() {
  if (idle_) close();
}

void Connection::close() {
  if (call_) call_->give_up();
  socket_.close();
}

milliseconds Connection::write_patience() const { return milliseconds(shared().options.write_timeout_ms); }

Task<bool> Connection::send_all(Request& request, std::string_view bytes) {
  const std::size_t before = bytes.size();
  const Io sent = co_await socket_.send(bytes, write_patience());
  request.record.sent_bytes += before - bytes.size();
  if (sent == Io::ok) co_return true;
  request.keep_alive = false;
  request.record.aborted = true;
  socket_.reset();
  co_return false;
}

Task<void> Connection::respond(Request& request) {
  const RequestHead& head = request.head();
  request.understood = true;
  request.record.path = shared().routes.path_template(head.target);
  set_request_id(request.record.id, head.request_id);
  request.record.begin_span(head);
  request.record.method = known_method(head.method);
  request.body_pending = head.has_body();
  request.patience = milliseconds(shared().options.body_timeout_ms);
  request.continue_asked = head.http_1_1 && head.has_body() && equal_ignoring_case(head.expect, "100-continue");

  const tl::expected<Plan, Problem> planned = shared().routes.plan(head, shared().options, around_.keys);
  if (!planned) {
    co_await refuse(request, planned.error());
  } else {
    switch (planned->action) {
      case Action::health: co_await answer_health(request); break;
      case Action::score_json:
        request.max_body_bytes = planned->max_body_bytes;
        co_await answer_json(request);
        break;
      case Action::score_csv:
        request.max_body_bytes = planned->max_body_bytes;
        co_await answer_csv(request, planned->answer == MediaType::csv ? job::Format::csv : job::Format::json);
        break;
      case Action::endpoint:
        request.max_body_bytes = planned->max_body_bytes;
        co_await answer_endpoint(request, planned->endpoint);
        break;
    }
  }
  if (request.keep_alive && request.body_pending) request.keep_alive = co_await discard_body(request);
}

Task<bool> Connection::answer_one(Clock::time_point header_until) {
  Request request(shared().options.max_header_bytes);
  request.record.begun = begun_;
  const Got got = co_await read_head(request, header_until);
  if (got == Got::nothing) co_return false;
  if (got == Got::request) {
    co_await respond(request);
  } else {
    set_request_id(request.record.id, {});
    request.framing_lost = request.body_pending = true;
    co_await refuse(request, *request.failure);
  }
  around_.log.add(request.record);
  unread_bytes_ = request.body_pending;
  begun_ = Clock::now();
  co_return request.keep_alive;
}

// The hot path: while all is as it mostly is, nothing but this coroutine runs, and it allocates nothing.
Task<void> Connection::run() {
  const ServerOptions& options = shared().options;
  Clock::time_point header_until = begun_ + milliseconds(options.header_timeout_ms);
  Clock::time_point idle_until = header_until;
  for (;;) {
    if (socket_.in().empty()) {
      if (shared().draining) break;
      idle_ = true;
      Io got = Io::must_wait;
      while (got == Io::must_wait) {
        got = co_await socket_.input(idle_until);
        if (got == Io::ok) got = socket_.receive();
      }
      idle_ = false;
      if (got != Io::ok) break;
      begun_ = Clock::now();
    }
    if (answer_ready(around_.ready)) {
      const Io sent = send_ready(around_.ready);
      if (sent == Io::must_wait) {
        ReadyAnswers ready = std::exchange(around_.ready, {});
        const bool all = co_await send_rest(ready);
        if (!all) break;
      } else if (sent != Io::ok) {
        break;
      }
    } else {
      const bool again = co_await answer_one(header_until);
      if (!again) break;
    }
    header_until = begun_ + milliseconds(options.header_timeout_ms);
    idle_until = begun_ + milliseconds(options.keep_alive_timeout_ms);
  }
  co_await socket_.hang_up(unread_bytes_);
}

Task<void> Connection::turn_away() {
  Request request(shared().options.max_header_bytes);
  request.record.begun = begun_;
  set_request_id(request.record.id, {});
  const Problem busy{
      .status = 503, .detail = "too many connections; try again", .errors_json = {}, .headers = {{"Retry-After", "1"}}};
  co_await refuse_late(request, busy);
  around_.log.add(request.record);
  co_await socket_.hang_up(true);
}

namespace {

/// Owns the connection for as long as it lasts.
Detached live(std::unique_ptr<Connection> connection, Admission admission) {
  try {
    if (admission == Admission::admitted) {
      co_await connection->run();
    } else {
      co_await connection->turn_away();
    }
  } catch (const std::exception& e) {  // out of memory, say: one connection's end, not the server's
    log::error("connection_failed", {{"error", e.what()}});
  }
}

}  // namespace

std::size_t ConnectionCount::add() {
  const std::lock_guard lock(mutex_);
  return ++count_;
}

void ConnectionCount::remove() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) changed_.notify_all();
}

std::size_t ConnectionCount::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

bool ConnectionCount::wait_for_none(std::optional<Clock::time_point> until) {
  std::unique_lock lock(mutex_);
  const auto none = [this] { return count_ == 0; };
  if (until) return changed_.wait_until(lock, *until, none);
  changed_.wait(lock, none);
  return true;
}

void serve(const Surroundings& surroundings, int socket, Admission admission) {
  live(std::make_unique<Connection>(surroundings, socket), admission);
}

}  // namespace dropscore::http
