#include "app/http/live_connection.h"

#include <algorithm>
#include <array>

namespace dropscore::http {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t progress_bytes = limits::kib;  // of a body within body_timeout_ms

Problem too_much_in_memory() {
  return {.status = 503,
          .detail = "too many large requests at one time; try again, or send text/csv to /predict",
          .errors_json = {},
          .headers = {{"Retry-After", "1"}}};
}

}  // namespace

Task<Connection::Got> Connection::read_head(Request& request, Clock::time_point until) {
  for (;;) {
    std::string_view bytes = socket_.in().view();
    while (request.parser->untouched() && bytes.starts_with("\r\n")) bytes.remove_prefix(2);  // RFC 9112, 2.2
    const bool may_begin = !bytes.empty() && !(request.parser->untouched() && bytes == "\r");
    RequestParser::Head got = RequestParser::Head::need_bytes;
    if (may_begin) got = request.parser->read_head(bytes);
    socket_.in().keep_last(bytes.size());
    if (got == RequestParser::Head::ready) co_return Got::request;
    if (got == RequestParser::Head::refused) {
      request.failure = request.parser->problem();
      co_return Got::refused;
    }
    const Io filled = co_await socket_.fill(until);
    if (filled == Io::timed_out) {
      request.failure =
          Problem{.status = 408, .detail = "the request's header did not come in time", .errors_json = {}};
      co_return Got::refused;
    }
    if (filled != Io::ok) co_return Got::nothing;
  }
}

Task<Connection::BodyStep> Connection::read_body(Request& request, std::span<char> out, std::size_t& count) {
  for (;;) {
    std::string_view bytes = socket_.in().view();
    const RequestParser::Body got = request.parser->read_body(bytes, out, count);
    socket_.in().keep_last(bytes.size());
    request.record.body_bytes += count;
    switch (got) {
      case RequestParser::Body::bytes:
        if (request.record.body_bytes >= request.bytes_at_patience + progress_bytes) {
          request.bytes_at_patience = request.record.body_bytes;
          request.patience = milliseconds(shared().options.body_timeout_ms);
        }
        if (request.record.body_bytes <= request.max_body_bytes) co_return BodyStep::bytes;
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
    const bool has_room = !socket_.in().room().empty();
    const Clock::time_point before = Clock::now();
    Io filled = Io::failed;
    if (has_room) filled = co_await socket_.fill(before + request.patience);
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
bool Connection::must_wait(const Request& request) const {
  const std::optional<std::uint64_t> length = request.head().content_length;
  if (!socket_.in().empty() || (length && request.record.body_bytes >= *length)) return false;
  return !socket_.readable();
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
        count_turned_away("memory");
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
      count_turned_away("memory");
      co_return false;
    }
  }
}

}  // namespace dropscore::http
