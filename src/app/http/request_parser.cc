#include "app/http/request_parser.h"

#include <iterator>
#include <limits>

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "app/http/negotiation.h"

namespace dropscore::http {
namespace {

namespace beast = boost::beast;
using beast::http::error;
using beast::http::field;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Problem bad_request(std::string detail) { return {.status = 400, .detail = std::move(detail), .errors_json = {}}; }

Problem header_too_large(std::size_t limit) {
  return {.status = 431,
          .detail = "the request's header is over the limit of " + std::to_string(limit) + " bytes",
          .errors_json = {}};
}

}  // namespace

struct RequestParser::State {
  explicit State(std::size_t limit) : max_header_bytes(limit) {
    parser.header_limit(static_cast<std::uint32_t>(limit));
    // Limits on bodies are the connection's, which knows what the body is for. Beast 1.74 takes "no limit" for 0.
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  bool take_head();
  bool check_framing();
  bool check_host();
  /// A field's value; empty where it comes twice.
  std::string_view only(beast::string_view name) const;

  beast::http::request_parser<beast::http::buffer_body> parser;
  std::size_t max_header_bytes;
  std::size_t header_bytes = 0;
  RequestHead head;
  Problem problem;
};

bool RequestParser::State::check_framing() {
  const auto& message = parser.get();
  const std::size_t codings = message.count(field::transfer_encoding);
  if (codings == 0) return true;
  // A coding that one hop understands and the next does not is how requests are smuggled.
  if (!head.http_1_1 || codings > 1 || message.count(field::content_length) > 0) {
    problem = bad_request("the request's length is ambiguous: Transfer-Encoding is for HTTP/1.1, once, alone");
    return false;
  }
  if (!equal_ignoring_case(trimmed(view(message[field::transfer_encoding])), "chunked")) {
    problem = {.status = 501, .detail = "the only Transfer-Encoding understood is chunked", .errors_json = {}};
    return false;
  }
  return true;
}

bool RequestParser::State::check_host() {
  const std::size_t hosts = parser.get().count(field::host);
  if (hosts == 1 || (hosts == 0 && !head.http_1_1)) return true;
  problem = bad_request("the request must name one Host");
  return false;
}

std::string_view RequestParser::State::only(beast::string_view name) const {
  const auto [first, last] = parser.get().equal_range(name);
  return first != last && std::next(first) == last ? trimmed(view(first->value())) : std::string_view();
}

bool RequestParser::State::take_head() {
  const auto& message = parser.get();
  head.method = view(message.method_string());
  head.target = view(message.target());
  head.http_1_1 = message.version() == 11;
  head.keep_alive = parser.keep_alive();
  if (!check_framing() || !check_host()) return false;
  head.chunked = parser.chunked();
  if (const auto length = parser.content_length()) head.content_length = *length;
  if (const auto at = message.find(field::content_type); at != message.end()) head.content_type = view(at->value());
  head.content_encoding = trimmed(view(message[field::content_encoding]));
  head.expect = trimmed(view(message[field::expect]));
  head.request_id = view(message["X-Request-Id"]);
  head.api_key = only("X-API-Key");
  head.authorization = only("Authorization");
  head.traceparent = only("traceparent");
  const auto join = [](std::string& joined, auto fields) {
    for (auto at = fields.first; at != fields.second; ++at) {
      if (!joined.empty()) joined += ',';
      joined += view(at->value());
    }
  };
  join(head.accept, message.equal_range(field::accept));
  join(head.tracestate, message.equal_range("tracestate"));
  return true;
}

RequestParser::RequestParser(std::size_t max_header_bytes) : state_(std::make_unique<State>(max_header_bytes)) {}
RequestParser::~RequestParser() = default;

RequestParser::Head RequestParser::read_head(std::string_view& in) {
  State& state = *state_;
  beast::error_code fault;
  const std::size_t used = state.parser.put(boost::asio::const_buffer(in.data(), in.size()), fault);
  in.remove_prefix(used);
  state.header_bytes += used;
  const bool unfinished = fault == error::need_more;
  // Beast holds the limit against what is left to parse, so that it is the whole that is counted here.
  const std::size_t header_bytes = state.header_bytes + (unfinished ? in.size() : 0);
  if (fault == error::header_limit || header_bytes > state.max_header_bytes) {
    state.problem = header_too_large(state.max_header_bytes);
    return Head::refused;
  }
  if (unfinished) return Head::need_bytes;
  if (fault) {
    state.problem = bad_request("the request is not HTTP/1.1: " + fault.message());
    return Head::refused;
  }
  if (!state.parser.is_header_done()) return Head::need_bytes;
  return state.take_head() ? Head::ready : Head::refused;
}

bool RequestParser::untouched() const { return state_->header_bytes == 0; }

const RequestHead& RequestParser::head() const { return state_->head; }

std::string_view RequestParser::field(std::string_view name) const {
  const auto& message = state_->parser.get();
  const auto at = message.find(beast::string_view(name.data(), name.size()));
  return at == message.end() ? std::string_view() : trimmed(view(at->value()));
}

RequestParser::Body RequestParser::read_body(std::string_view& in, std::span<char> out, std::size_t& count) {
  State& state = *state_;
  auto& body = state.parser.get().body();
  count = 0;
  body.data = out.data();
  body.size = out.size();
  // One put() is one step of the grammar: a chunk's header, or some of its bytes.
  while (!state.parser.is_done() && !in.empty() && body.size > 0) {
    beast::error_code fault;
    const std::size_t used = state.parser.put(boost::asio::const_buffer(in.data(), in.size()), fault);
    in.remove_prefix(used);
    if (fault == error::need_more || fault == error::need_buffer) break;
    if (fault) {
      state.problem = bad_request("the request's body is not framed as HTTP asks: " + fault.message());
      return Body::refused;
    }
  }
  count = out.size() - body.size;
  if (count > 0) return Body::bytes;
  return state.parser.is_done() ? Body::end : Body::need_bytes;
}

const Problem& RequestParser::problem() const { return state_->problem; }

}  // namespace dropscore::http
