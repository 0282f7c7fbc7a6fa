// Reading what a token endpoint answered.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "azure/token_source.h"
#include "base/limits.h"

namespace dropscore::azure {
namespace {

using std::chrono::seconds;

constexpr std::size_t max_token_bytes = 64 * limits::kib;
constexpr std::int64_t longest_lifetime_s = 7LL * 24 * 60 * 60;

/// A whole number, or the text of one.
std::optional<std::int64_t> whole_number(simdjson::dom::object object, std::string_view name) {
  simdjson::dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  std::int64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What may stand in a header.
bool is_token_text(std::string_view text) {
  return !text.empty() && text.size() <= max_token_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

tl::unexpected<Error> unreadable(std::string_view why) {
  return fail(ErrorKind::try_later, fmt::format("the answer is no token: {}", why));
}

}  // namespace

Result<Token> parse_token(std::string_view json, std::chrono::system_clock::time_point now) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) return unreadable("not a JSON object");
  std::string_view text;
  if (object.at_key("access_token").get(text) != simdjson::SUCCESS || !is_token_text(text)) {
    return unreadable("it has no access_token");
  }
  std::optional<std::int64_t> lifetime_s = whole_number(object, "expires_in");
  if (!lifetime_s) {
    const std::optional<std::int64_t> end_s = whole_number(object, "expires_on");
    if (!end_s) return unreadable("it says neither expires_in nor expires_on");
    const std::int64_t now_s = std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
    lifetime_s = std::max<std::int64_t>(*end_s, 0) - now_s;
  }
  if (*lifetime_s <= 0) return unreadable("it has expired already");
  return Token{std::string(text), seconds(std::min(*lifetime_s, longest_lifetime_s))};
}

std::string refusal_code(std::string_view json) {
  // A server may repeat in its answer what it was sent, so only words that are known beforehand are passed on.
  static constexpr std::array<std::string_view, 13> known = {
      "invalid_request",        "invalid_client",     "invalid_grant", "unauthorized_client", "invalid_scope",
      "unsupported_grant_type", "invalid_resource",   "access_denied", "server_error",        "temporarily_unavailable",
      "bad_request_102",        "identity_not_found", "unknown_error"};
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) return {};
  std::string code;
  std::string_view error;
  if (object.at_key("error").get(error) == simdjson::SUCCESS &&
      std::find(known.begin(), known.end(), error) != known.end()) {
    code = error;
  }
  // "AADSTS7000215: Invalid client secret ...": the number says it all.
  static constexpr std::string_view prefix = "AADSTS";
  std::string_view description;
  if (object.at_key("error_description").get(description) == simdjson::SUCCESS && description.starts_with(prefix)) {
    const std::size_t end = std::min(description.find_first_not_of("0123456789", prefix.size()), description.size());
    if (end > prefix.size() && end <= prefix.size() + 9) {
      code += fmt::format("{}{}", code.empty() ? "" : " ", description.substr(0, end));
    }
  }
  return code;
}

}  // namespace dropscore::azure
