#include "app/http/connection.h"

#include <array>
#include <exception>
#include <utility>

#include <unistd.h>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/http/input_buffer.h"
#include "app/http/request_parser.h"
#include "app/http/response.h"
#include "app/http/routes.h"
#include "app/http/spool.h"
#include "base/log.h"

namespace dropscore::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
template <class T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_task;
using std::chrono::milliseconds;

constexpr std::size_t input_bytes = 64 * limits::kib;        // read from a socket at a time
constexpr std::size_t flush_bytes = 64 * limits::kib;        // written to a socket at a time
constexpr std::size_t hold_back_bytes = limits::mib;         // of an answer that may yet become a refusal
constexpr std::size_t inline_body_bytes = 64 * limits::kib;  // of a larger body, scoring is the workers' task
constexpr std::size_t discard_bytes = 64 * limits::kib;      // of a body nobody wants, to keep its connection
constexpr std::size_t progress_bytes = limits::kib;          // of a body within body_timeout_ms
constexpr milliseconds linger_time{2000};
constexpr Clock::time_point never = Clock::time_point::max();

enum class Io : std::uint8_t { ok, end, timed_out, failed };

/// One request and what became of it.
struct Request {
  explicit Request(std::size_t max_header_bytes) : parser(std::make_shared<RequestParser>(max_header_bytes)) {}

  const RequestHead& head() const { return parser->head(); }

  std::shared_ptr<RequestParser> parser;
  Clock::time_point begun = Clock::now();
  std::string_view path = "-";
  std::string id;
  bool understood = false;    ///< head() may be asked
  bool keep_alive = false;    ///< the connection, after the answer
  bool body_pending = false;  ///< some of it was not read
  bool framing_lost = false;  ///< where the next request begins is unknown
  bool continue_asked = false;
  std::uint64_t max_body_bytes = discard_bytes;
  std::uint64_t body_bytes = 0;
  std::uint64_t bytes_at_patience = 0;
  Clock::duration patience{};  ///< that is left for the next KiB of body
  std::optional<Problem> failure;

  unsigned status = 0;
  std::uint64_t sent_bytes = 0;
  job::ScoreCounts counts;
  bool aborted = false;
};

/// A part of something that all connections have together; given back at the end.
class Share {
 public:
  Share(std::atomic<std::uint64_t>& used, std::uint64_t limit) : used_(used), limit_(limit) {}
  ~Share() { give_back(); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  bool take(std::uint64_t more) {
    if ((used_ += more) > limit_) {
      used_ -= more;
      return false;
    }
    taken_ += more;
    return true;
  }
  void give_back() { used_ -= std::exchange(taken_, 0); }

 private:
  std::atomic<std::uint64_t>& used_;
  std::uint64_t limit_;
  std::uint64_t taken_ = 0;
};

/// An answer that is sent while its request is still being read.
struct StreamedAnswer {
  explicit StreamedAnswer(Shared& shared) : spool_share(shared.spooled_bytes, shared.options.max_spool_bytes) {}

  MediaType type = MediaType::json;
  bool begun = false;
  std::string text;   ///< not yet framed
  std::string frame;  ///< being sent
  std::optional<Spool> spool;
  Share spool_share;
  bool spool_failed = false;
};

class Connection final : public LiveConnection {
 public:
  Connection(const Surroundings& surroundings, int socket);
  ~Connection() override;

  Task<void> run();
  Task<void> turn_away();

  void check_deadline(Clock::time_point now) override;
  void close_if_idle() override;
  void close() override;

 private:
  enum class Got : std::uint8_t { request, refused, nothing };
  enum class BodyStep : std::uint8_t { bytes, end, failed };

  // The socket, with a limit on every wait.
  Task<Io> fill(Clock::time_point until);
  Task<Io> send(std::string_view& bytes, milliseconds patience);
  Task<bool> send_all(Request& request, std::string_view bytes);
  Task<void> hang_up(bool unread_bytes);
  void reset();

  // A request.
  Task<Got> read_head(Request& request, bool first);
  Task<BodyStep> read_body(Request& request, std::span<char> out, std::size_t& count);
  Task<bool> discard_body(Request& request);
  bool must_wait(const Request& request);
  Task<void> respond(Request& request);

  // Its answer.
  Task<void> answer(Request& request, unsigned status, std::string_view type, std::string_view body,
                    std::span<const Header> headers = {});
  Task<void> refuse(Request& request, const Problem& problem);
  Task<void> answer_health(Request& request);
  Task<void> answer_json(Request& request);
  Task<bool> read_whole(Request& request, Share& memory, std::string& body);
  Task<bool> read_filtered(Request& request, Share& memory, BodyFilter& filter, std::string& body);
  Task<tl::expected<std::string, job::Refusal>> score_json(const std::string& body);
  template <class Work>
  Task<void> on_worker(Work& work);
  Task<void> answer_csv(Request& request, job::Format format);
  Task<void> answer_endpoint(Request& request, std::shared_ptr<const Endpoint> endpoint);
  Task<void> over(EndpointCall& call);
  Task<void> fail_stream(Request& request, const StreamedAnswer& streamed, Problem problem);
  Task<bool> stream_out(Request& request, StreamedAnswer& streamed, bool last);
  Task<bool> queue(Request& request, StreamedAnswer& streamed, bool last);
  bool lay_aside(StreamedAnswer& streamed, std::string_view bytes);
  Task<bool> empty_spool(Request& request, StreamedAnswer& streamed);

  milliseconds write_patience() const { return milliseconds(shared().options.write_timeout_ms); }
  Shared& shared() const { return around_.shared; }
  bool may_keep_alive(const Request& request) const;
  static void log_request(const Request& request);

  Surroundings around_;
  Socket socket_;
  InputBuffer in_;
  std::shared_ptr<EndpointCall> call_;  ///< that is waited for
  Clock::time_point deadline_ = never;
  bool expired_ = false;
  bool idle_ = false;  ///< waits for a request's first byte
  bool closed_ = false;
};

Connection::Connection(const Surroundings& surroundings, int socket)
    : around_(surroundings),
      socket_(surroundings.io.get_executor()),
      in_(std::max(input_bytes, 2 * surroundings.shared.options.max_header_bytes)) {
  around_.live.insert(this);
  error_code failed;
  // Asio asks for the protocol only to tell it again; a v6 socket is served the same.
  socket_.assign(asio::ip::tcp::v4(), socket, failed);
  if (failed) {
    closed_ = true;
    ::close(socket);
  }
}

Connection::~Connection() {
  around_.live.erase(this);
  error_code ignored;
  socket_.close(ignored);
  shared().connections.remove();
}

void Connection::check_deadline(Clock::time_point now) {
  if (now < deadline_) return;
  expired_ = true;
  deadline_ = never;
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::close_if_idle() {
  if (idle_) close();
}

void Connection::close() {
  closed_ = true;
  if (call_) call_->give_up();
  error_code ignored;
  socket_.close(ignored);
}

// --- the socket

Task<Io> Connection::fill(Clock::time_point until) {
  if (closed_) co_return Io::failed;
  const std::span<char> room = in_.room();
  expired_ = false;
  deadline_ = until;
  error_code failed;
  const std::size_t count =
      co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), asio::redirect_error(use_task, failed));
  deadline_ = never;
  in_.commit(count);
  if (!failed) co_return Io::ok;
  if (expired_) co_return Io::timed_out;
  co_return failed == asio::error::eof ? Io::end : Io::failed;
}

/// Takes from the front of `bytes` what was sent. Any progress renews the client's time.
Task<Io> Connection::send(std::string_view& bytes, milliseconds patience) {
  while (!bytes.empty()) {
    if (closed_) co_return Io::failed;
    expired_ = false;
    deadline_ = Clock::now() + patience;
    error_code failed;
    const std::size_t count = co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                                                asio::redirect_error(use_task, failed));
    deadline_ = never;
    bytes.remove_prefix(count);
    if (failed) co_return expired_ ? Io::timed_out : Io::failed;
  }
  co_return Io::ok;
}

Task<bool> Connection::send_all(Request& request, std::string_view bytes) {
  const std::size_t before = bytes.size();
  const Io sent = co_await send(bytes, write_patience());
  request.sent_bytes += before - bytes.size();
  if (sent == Io::ok) co_return true;
  request.keep_alive = false;
  request.aborted = true;
  reset();
  co_return false;
}

/// Ends the connection so that the client gets the answer: to close while its bytes are still coming in would make the
/// kernel send a reset, which throws away what the client has not read.
Task<void> Connection::hang_up(bool unread_bytes) {
  if (closed_) co_return;
  error_code failed;
  unread_bytes = unread_bytes || !in_.empty() || socket_.available(failed) > 0;
  socket_.shutdown(Socket::shutdown_send, failed);
  const Clock::time_point until = Clock::now() + linger_time;
  while (unread_bytes && Clock::now() < until) {
    in_.keep_last(0);
    const Io got = co_await fill(until);
    if (got != Io::ok) break;
  }
  close();
}

/// Tells the client that the answer is cut off, in the only way that is left.
void Connection::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

// --- a request

Task<Connection::Got> Connection::read_head(Request& request, bool first) {
  const ServerOptions& options = shared().options;
  bool started = !in_.empty();
  Clock::time_point until =
      Clock::now() + milliseconds(started || first ? options.header_timeout_ms : options.keep_alive_timeout_ms);
  for (;;) {
    std::string_view bytes = in_.view();
    while (request.parser->untouched() && bytes.starts_with("\r\n")) bytes.remove_prefix(2);  // RFC 9112, 2.2
    if (!bytes.empty() && !(request.parser->untouched() && bytes == "\r")) {
      const RequestParser::Head got = request.parser->read_head(bytes);
      in_.keep_last(bytes.size());
      if (got == RequestParser::Head::ready) co_return Got::request;
      if (got == RequestParser::Head::refused) {
        request.failure = request.parser->problem();
        co_return Got::refused;
      }
    } else {
      in_.keep_last(bytes.size());
    }
    if (!started && shared().draining) co_return Got::nothing;
    idle_ = !started;
    const Io got = co_await fill(until);
    idle_ = false;
    if (got == Io::timed_out && started) {
      request.failure =
          Problem{.status = 408, .detail = "the request's header did not come in time", .errors_json = {}};
      co_return Got::refused;
    }
    if (got != Io::ok) co_return Got::nothing;
    if (!started) {
      started = true;
      request.begun = Clock::now();
      if (!first) until = request.begun + milliseconds(options.header_timeout_ms);
    }
  }
}

Task<Connection::BodyStep> Connection::read_body(Request& request, std::span<char> out, std::size_t& count) {
  for (;;) {
    std::string_view bytes = in_.view();
    const RequestParser::Body got = request.parser->read_body(bytes, out, count);
    in_.keep_last(bytes.size());
    request.body_bytes += count;
    switch (got) {
      case RequestParser::Body::bytes:
        if (request.body_bytes >= request.bytes_at_patience + progress_bytes) {
          request.bytes_at_patience = request.body_bytes;
          request.patience = milliseconds(shared().options.body_timeout_ms);
        }
        if (request.body_bytes <= request.max_body_bytes) co_return BodyStep::bytes;
        request.failure = body_too_large(request.max_body_bytes);
        request.framing_lost = true;
        co_return BodyStep::failed;
      case RequestParser::Body::end: request.body_pending = false; co_return BodyStep::end;
      case RequestParser::Body::refused:
        request.failure = request.parser->problem();
        request.framing_lost = true;
        co_return BodyStep::failed;
      case RequestParser::Body::need_bytes: break;
    }
    if (request.continue_asked) {
      request.continue_asked = false;
      const bool sent = co_await send_all(request, "HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent) co_return BodyStep::failed;
    }
    const bool has_room = !in_.room().empty();
    const Clock::time_point before = Clock::now();
    Io filled = Io::failed;
    if (has_room) filled = co_await fill(before + request.patience);
    request.patience -= Clock::now() - before;
    if (filled == Io::ok) continue;
    request.framing_lost = true;
    if (!has_room) {
      request.failure = Problem{.status = 400, .detail = "a chunk's header is too long", .errors_json = {}};
    } else if (filled == Io::timed_out) {
      request.failure = Problem{.status = 408, .detail = "the request's body did not come in time", .errors_json = {}};
    } else {
      request.failure = Problem{.status = 400, .detail = "the request's body was cut short", .errors_json = {}};
    }
    co_return BodyStep::failed;
  }
}

Task<bool> Connection::discard_body(Request& request) {
  std::array<char, 4096> scratch;
  for (;;) {
    std::size_t count = 0;
    const BodyStep step = co_await read_body(request, scratch, count);
    if (step != BodyStep::bytes) co_return step == BodyStep::end;
  }
}

/// More of the body is to come, and none of it is here.
bool Connection::must_wait(const Request& request) {
  const std::optional<std::uint64_t> length = request.head().content_length;
  if (!in_.empty() || (length && request.body_bytes >= *length)) return false;
  error_code failed;
  return socket_.available(failed) == 0;
}

bool Connection::may_keep_alive(const Request& request) const {
  if (!request.understood || request.framing_lost || !request.head().keep_alive || shared().draining) return false;
  if (!request.body_pending) return true;
  const std::optional<std::uint64_t> length = request.head().content_length;
  return !request.continue_asked && length && *length <= discard_bytes;
}

Task<void> Connection::respond(Request& request) {
  const RequestHead& head = request.head();
  request.understood = true;
  request.path = shared().routes.path_template(head.target);
  request.id = request_id(head.request_id);
  request.body_pending = head.has_body();
  request.patience = milliseconds(shared().options.body_timeout_ms);
  request.continue_asked = head.http_1_1 && head.has_body() && equal_ignoring_case(head.expect, "100-continue");

  const tl::expected<Plan, Problem> planned = shared().routes.plan(head, shared().options);
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

// --- its answer

Task<void> Connection::answer(Request& request, unsigned status, std::string_view type, std::string_view body,
                              std::span<const Header> headers) {
  request.status = status;
  request.keep_alive = may_keep_alive(request);
  ResponseHead head;
  head.status = status;
  head.content_type = type;
  head.content_length = body.size();
  head.keep_alive = request.keep_alive;
  head.request_id = request.id;
  head.headers = headers;
  if (request.understood) head.http_1_1 = request.head().http_1_1;
  std::string text = text_of(head);
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

Task<void> Connection::answer_health(Request& request) {
  const std::string body = shared().scorer ? shared().scorer().health_json() : R"({"status":"healthy"})";
  co_await answer(request, 200, text_of(MediaType::json), body);
}

Problem too_much_in_memory() {
  return {.status = 503,
          .detail = "too many large requests at one time; try again, or send text/csv to /predict",
          .errors_json = {},
          .headers = {{"Retry-After", "1"}}};
}

Task<bool> Connection::read_whole(Request& request, Share& memory, std::string& body) {
  // What is claimed and never sent costs nothing: the body grows as it comes. The byte beyond the claim is where the
  // parser would put what may not come.
  const std::uint64_t most = request.head().content_length.value_or(request.max_body_bytes) + 1;
  std::size_t filled = 0;
  for (;;) {
    if (filled == body.size()) {
      const std::size_t more = std::min<std::size_t>(std::max(input_bytes, filled), most - filled);
      if (!memory.take(more)) {
        request.failure = too_much_in_memory();
        co_return false;
      }
      body.resize(filled + more);
    }
    std::size_t count = 0;
    const BodyStep step = co_await read_body(request, std::span(body).subspan(filled), count);
    filled += count;
    if (step == BodyStep::bytes) continue;
    body.resize(filled);
    co_return step == BodyStep::end;
  }
}

/// `body` is what the filter keeps.
Task<bool> Connection::read_filtered(Request& request, Share& memory, BodyFilter& filter, std::string& body) {
  std::string piece(input_bytes, '\0');
  for (;;) {
    std::size_t count = 0;
    const BodyStep step = co_await read_body(request, piece, count);
    if (step != BodyStep::bytes) co_return step == BodyStep::end;
    const std::size_t before = body.capacity();
    filter.take(std::string_view(piece).substr(0, count), body);
    if (body.capacity() > before && !memory.take(body.capacity() - before)) {
      request.failure = too_much_in_memory();
      co_return false;
    }
  }
}

template <class Work>
Task<void> Connection::on_worker(Work& work) {
  std::exception_ptr thrown;
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      [this, &work, &thrown](auto resume) {
        asio::post(around_.workers, [this, &work, &thrown, resume = std::move(resume)]() mutable {
          try {
            work();
          } catch (...) {
            thrown = std::current_exception();
          }
          asio::post(around_.io, std::move(resume));
        });
      },
      use_task);
  if (thrown) std::rethrow_exception(thrown);
}

Task<tl::expected<std::string, job::Refusal>> Connection::score_json(const std::string& body) {
  const job::Scorer scorer = shared().scorer();
  if (body.size() <= inline_body_bytes) co_return scorer.score_json(body, {});
  tl::expected<std::string, job::Refusal> scored;
  const auto work = [&] { scored = scorer.score_json(body, {}); };
  co_await on_worker(work);
  co_return scored;
}

Task<void> Connection::answer_json(Request& request) {
  Share memory(shared().buffered_body_bytes, shared().options.max_buffered_body_bytes);
  std::string body;
  const bool complete = co_await read_whole(request, memory, body);
  if (!complete) {
    if (request.failure) co_await refuse(request, *request.failure);
    co_return;
  }
  const tl::expected<std::string, job::Refusal> scored = co_await score_json(body);
  if (scored) {
    co_await answer(request, 200, text_of(MediaType::json), *scored);
    co_return;
  }
  const Problem problem = problem_of(scored.error());
  if (problem.status >= 500) {
    log::error("request_failed", {{"request_id", request.id}, {"detail", scored.error().error.detail.text}});
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
  const auto call = std::make_shared<EndpointCall>(endpoint, request.parser, std::move(body));
  if (endpoint->immediate) {
    call->run();
  } else {
    call_ = call;
    shared().endpoint_threads.run(call);
    co_await over(*call);
    call_.reset();
  }
  EndpointReply reply;
  if (call->take_reply(reply)) {
    co_await answer(request, reply.status, reply.content_type, reply.body, reply.headers);
  } else {
    request.keep_alive = false;
    request.aborted = true;
  }
}

/// Waits for the call's end, or until the connection is closed.
Task<void> Connection::over(EndpointCall& call) {
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      [this, &call](auto resume) {
        auto kept = std::make_shared<decltype(resume)>(std::move(resume));
        call.when_over([this, kept] { asio::post(around_.io, std::move(*kept)); });
      },
      use_task);
}

Task<void> Connection::answer_csv(Request& request, job::Format format) {
  job::ScoreOptions options;
  options.format = format;
  job::ScoreStream stream = shared().scorer().stream(options);
  StreamedAnswer streamed(shared());
  streamed.type = format == job::Format::csv ? MediaType::csv : MediaType::json;
  for (;;) {
    Result<job::ScoreStream::Step> step = job::ScoreStream::Step::end;
    const auto work = [&] { step = stream.next(streamed.text); };
    if (request.body_bytes <= inline_body_bytes) {
      work();
    } else {
      co_await on_worker(work);
    }
    request.counts = stream.counts();
    if (!step) {
      Problem problem = problem_of(step.error());
      problem.errors_json = stream.rejections_json();
      if (problem.status >= 500 || streamed.begun) {
        log::error("request_failed", {{"request_id", request.id}, {"kind", name(step.error().kind)}});
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
  request.aborted = true;
  log::warning("answer_aborted",
               {{"request_id", request.id}, {"status", problem.status}, {"sent_bytes", request.sent_bytes}});
  if (!request.head().http_1_1) reset();
}

Task<bool> Connection::stream_out(Request& request, StreamedAnswer& streamed, bool last) {
  std::string& frame = streamed.frame;
  frame.clear();
  const bool chunked = request.head().http_1_1;
  if (!streamed.begun) {
    streamed.begun = true;
    request.status = 200;
    request.keep_alive = chunked && request.head().keep_alive && !shared().draining;
    ResponseHead head;
    head.content_type = text_of(streamed.type);
    head.framing = chunked ? Framing::chunked : Framing::to_close;
    head.http_1_1 = chunked;
    head.keep_alive = request.keep_alive;
    head.request_id = request.id;
    frame += text_of(head);
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
    if (!last && lay_aside(streamed, rest)) co_return true;
    const bool emptied = co_await empty_spool(request, streamed);
    if (!emptied) co_return false;
  }
  if (!last && !streamed.spool_failed && options.max_spool_bytes > 0) {
    const Io sent = co_await send(rest, milliseconds(std::min(options.answer_stall_ms, options.write_timeout_ms)));
    request.sent_bytes += streamed.frame.size() - rest.size();
    if (sent == Io::ok) co_return true;
    if (sent == Io::timed_out && lay_aside(streamed, rest)) co_return true;
  }
  co_return co_await send_all(request, rest);
}

bool Connection::lay_aside(StreamedAnswer& streamed, std::string_view bytes) {
  if (!streamed.spool_share.take(bytes.size())) return false;
  if (!streamed.spool) {
    Result<Spool> opened = Spool::open(shared().options.spool_folder);
    if (!opened) {
      log::warning("no_spool", {{"detail", opened.error().detail.text}});
      streamed.spool_failed = true;
      return false;
    }
    streamed.spool = std::move(*opened);
  }
  const Status kept = streamed.spool->append(bytes);
  if (!kept) log::warning("no_spool", {{"detail", kept.error().detail.text}});
  return kept.has_value();
}

Task<bool> Connection::empty_spool(Request& request, StreamedAnswer& streamed) {
  std::string piece;
  for (;;) {
    piece.resize(flush_bytes);
    const Result<std::size_t> count = streamed.spool->take(piece);
    if (!count) {
      log::error("no_spool", {{"detail", count.error().detail.text}});
      request.keep_alive = false;
      request.aborted = true;
      reset();
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

// --- all of it

/// A known method's name: the client's own text stays out of the log.
std::string_view method_name(const Request& request) {
  if (!request.understood) return "-";
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (request.head().method == known) return known;
  }
  return "other";
}

void Connection::log_request(const Request& request) {
  const std::chrono::duration<double, std::milli> duration = Clock::now() - request.begun;
  log::info("request", {{"method", method_name(request)},
                        {"path", request.path},
                        {"status", request.status},
                        {"bytes_in", request.body_bytes},
                        {"bytes_out", request.sent_bytes},
                        {"rows", request.counts.scored},
                        {"rejected", request.counts.rejected},
                        {"duration_ms", duration.count()},
                        {"aborted", request.aborted},
                        {"request_id", request.id}});
}

Task<void> Connection::run() {
  bool unread_bytes = false;
  for (bool first = true;; first = false) {
    Request request(shared().options.max_header_bytes);
    const Got got = co_await read_head(request, first);
    if (got == Got::nothing) break;
    if (got == Got::request) {
      co_await respond(request);
    } else {
      request.id = request_id({});
      request.framing_lost = request.body_pending = true;
      co_await refuse(request, *request.failure);
    }
    log_request(request);
    unread_bytes = request.body_pending;
    if (!request.keep_alive) break;
    in_.shrink();
  }
  co_await hang_up(unread_bytes);
}

Task<void> Connection::turn_away() {
  Request request(shared().options.max_header_bytes);
  request.id = request_id({});
  const Problem busy{
      .status = 503, .detail = "too many connections; try again", .errors_json = {}, .headers = {{"Retry-After", "1"}}};
  co_await refuse(request, busy);
  log_request(request);
  co_await hang_up(true);
}

/// Owns the connection for as long as it lasts.
Task<void> live(std::unique_ptr<Connection> connection, Admission admission) {
  if (admission == Admission::admitted) {
    co_await connection->run();
  } else {
    co_await connection->turn_away();
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

bool ConnectionCount::wait_for_none(std::optional<Clock::time_point> until) {
  std::unique_lock lock(mutex_);
  const auto none = [this] { return count_ == 0; };
  if (until) return changed_.wait_until(lock, *until, none);
  changed_.wait(lock, none);
  return true;
}

void serve(const Surroundings& surroundings, int socket, Admission admission) {
  asio::co_spawn(surroundings.io, live(std::make_unique<Connection>(surroundings, socket), admission),
                 [](const std::exception_ptr& thrown) {
                   if (!thrown) return;
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const std::exception& e) {  // out of memory, say: one connection's end, not the server's
                     log::error("connection_failed", {{"detail", e.what()}});
                   }
                 });
}

}  // namespace dropscore::http
