#include "telemetry/trace_context.h"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <openssl/rand.h>

#include "base/hash.h"

namespace dropscore::telemetry {
namespace {

constexpr std::size_t traceparent_bytes = 55;  // 00-TRACE-SPAN-FLAGS
constexpr std::uint8_t sampled_flag = 1;
constexpr std::size_t max_members = 32;
constexpr std::size_t max_state_bytes = 512;  // what everybody has to hand on at least
constexpr std::size_t large_member_bytes = 128;

/// Of a lower-case digit; the Recommendation knows no others. -1 where it is none.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Reads two digits for each byte. REQUIRES: text.size() == 2 * bytes.size().
bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(16 * high + low);
  }
  return true;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_number(char c) { return c >= '0' && c <= '9'; }

bool are_key_characters(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return is_lower(c) || is_number(c) || c == '_' || c == '-' || c == '*' || c == '/'; });
}

/// A system's name, or TENANT@SYSTEM.
bool is_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) {
    return !key.empty() && key.size() <= 256 && is_lower(key.front()) && are_key_characters(key);
  }
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return !tenant.empty() && tenant.size() <= 241 && (is_lower(tenant.front()) || is_number(tenant.front())) &&
         are_key_characters(tenant) && !system.empty() && system.size() <= 14 && is_lower(system.front()) &&
         are_key_characters(system);
}

/// Printable ASCII; blanks at its end were cut off before.
bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= 256 &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

using Members = std::vector<std::string_view>;

std::string_view key_of(std::string_view member) { return member.substr(0, member.find('=')); }

/// Empty where there is none, or one that is not as it should be.
Members members_of(std::string_view text) {
  Members members;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view member = without_blanks(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (member.empty()) continue;  // which the Recommendation allows
    const std::string_view key = key_of(member);
    const bool sound = key.size() < member.size() && is_key(key) && is_value(member.substr(key.size() + 1));
    const bool known = std::ranges::any_of(members, [key](std::string_view other) { return key_of(other) == key; });
    if (!sound || known || members.size() == max_members) return {};
    members.push_back(member);
  }
  return members;
}

std::size_t joined_bytes(const Members& members) {
  std::size_t bytes = members.empty() ? 0 : members.size() - 1;
  for (const std::string_view member : members) bytes += member.size();
  return bytes;
}

/// A few ids' worth of the system's random bytes at a time, for each thread.
class RandomBytes {
 public:
  void take(std::span<std::uint8_t> out) {
    if (bytes_.size() - used_ < out.size()) {
      // Without random numbers nothing else in the program works either: no TLS, no request ids.
      if (RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size())) != 1)
        throw std::runtime_error("no random numbers");
      used_ = 0;
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(), out.begin());
    used_ += out.size();
  }

 private:
  std::array<std::uint8_t, 512> bytes_{};
  std::size_t used_ = bytes_.size();
};

template <class Id>
Id random_id_bytes() {
  thread_local RandomBytes random;
  Id id{};
  while (id == Id{}) random.take(id);
  return id;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < traceparent_bytes || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext context;
  if (!read_hex(text.substr(0, 2), version) || !read_hex(text.substr(3, 32), context.trace_id) ||
      !read_hex(text.substr(36, 16), context.span_id) || !read_hex(text.substr(53, 2), flags)) {
    return std::nullopt;
  }
  if (version[0] == 0xff || !context.has_span()) return std::nullopt;
  // Version 00 ends here; a later one may say more, behind another hyphen.
  if (text.size() > traceparent_bytes && (version[0] == 0 || text[traceparent_bytes] != '-')) return std::nullopt;
  context.sampled = (flags[0] & sampled_flag) != 0;
  return context;
}

std::string traceparent(const TraceContext& context) {
  return fmt::format("00-{:02x}-{:02x}-{:02x}", fmt::join(context.trace_id, ""), fmt::join(context.span_id, ""),
                     context.sampled ? sampled_flag : 0);
}

std::string checked_tracestate(std::string_view text) {
  Members members = members_of(text);
  const auto shorten = [&members](auto may_go) {
    for (auto at = members.end(); at != members.begin() && joined_bytes(members) > max_state_bytes;) {
      --at;
      if (may_go(*at)) at = members.erase(at);
    }
  };
  shorten([](std::string_view member) { return member.size() > large_member_bytes; });
  shorten([](std::string_view) { return true; });
  return fmt::format("{}", fmt::join(members, ","));
}

TraceContext trace_context(std::string_view traceparent, std::string_view tracestate) {
  std::optional<TraceContext> context = parse_traceparent(traceparent);
  if (!context) return {};
  if (!tracestate.empty()) context->state = checked_tracestate(tracestate);
  return *std::move(context);
}

TraceId new_trace_id() { return random_id_bytes<TraceId>(); }
SpanId new_span_id() { return random_id_bytes<SpanId>(); }

TraceId trace_id_of(std::string_view name) {
  TraceId id{};
  read_hex(content_hash_hex(name), id);
  if (id == TraceId{}) id.back() = 1;
  return id;
}

}  // namespace dropscore::telemetry
