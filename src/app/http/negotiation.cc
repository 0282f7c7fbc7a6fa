#include "app/http/negotiation.h"

#include <algorithm>

namespace dropscore::http {
namespace {

constexpr unsigned full_quality = 1000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool ends_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// Takes the front of `list` up to `separator`, which may stand inside a quoted string without separating.
std::string_view take(std::string_view& list, char separator) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < list.size(); ++at) {
    if (quoted && list[at] == '\\') {
      ++at;
    } else if (list[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && list[at] == separator) {
      break;
    }
  }
  const std::string_view item = list.substr(0, std::min(at, list.size()));
  list.remove_prefix(std::min(at + 1, list.size()));
  return trimmed(item);
}

struct Parameter {
  std::string_view name;
  std::string_view value;
};

Parameter take_parameter(std::string_view& rest) {
  std::string_view item = take(rest, ';');
  const std::string_view name = take(item, '=');
  std::string_view value = trimmed(item);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return {name, value};
}

/// "0.5" -> 500. A weight that cannot be read counts as full: the client named the type, after all.
unsigned weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return full_quality;
  if (text[0] == '1') return full_quality;
  if (text.size() == 1) return 0;
  if (text[1] != '.' || text.size() > 5) return full_quality;
  unsigned value = 0;
  unsigned place = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return full_quality;
    value += static_cast<unsigned>(c - '0') * place;
    place /= 10;
  }
  return value;
}

/// 3 for the type itself, 2 for `application/*`, 1 for `*/*`, 0 for no match.
unsigned specificity(std::string_view range, MediaType type) {
  const std::string_view whole = text_of(type);
  if (equal_ignoring_case(range, whole)) return 3;
  const std::string_view family = whole.substr(0, whole.find('/') + 1);
  if (range.size() == family.size() + 1 && range.back() == '*' &&
      equal_ignoring_case(range.substr(0, family.size()), family)) {
    return 2;
  }
  return range == "*/*" ? 1 : 0;
}

}  // namespace

std::string_view text_of(MediaType type) {
  switch (type) {
    case MediaType::json: return "application/json";
    case MediaType::csv: return "text/csv";
  }
  return "application/json";
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<MediaType> body_type(std::string_view content_type) {
  std::string_view rest = content_type;
  const std::string_view type = take(rest, ';');
  if (equal_ignoring_case(type, "text/csv")) return MediaType::csv;
  constexpr std::string_view family = "application/";
  const bool is_json = equal_ignoring_case(type, "application/json") ||
                       (type.size() > family.size() + 5 && equal_ignoring_case(type.substr(0, family.size()), family) &&
                        ends_ignoring_case(type, "+json"));
  if (!is_json) return std::nullopt;
  while (!rest.empty()) {
    const Parameter parameter = take_parameter(rest);
    if (!equal_ignoring_case(parameter.name, "charset")) continue;
    if (!equal_ignoring_case(parameter.value, "utf-8") && !equal_ignoring_case(parameter.value, "us-ascii")) {
      return std::nullopt;
    }
  }
  return MediaType::json;
}

unsigned quality_of(MediaType type, std::string_view accept) {
  if (trimmed(accept).empty()) return full_quality;
  unsigned best = 0;
  unsigned quality = 0;
  while (!accept.empty()) {
    std::string_view item = take(accept, ',');
    const unsigned match = specificity(take(item, ';'), type);
    if (match == 0 || match < best) continue;
    unsigned q = full_quality;
    while (!item.empty()) {
      const Parameter parameter = take_parameter(item);
      if (equal_ignoring_case(parameter.name, "q")) q = weight(parameter.value);
    }
    quality = match > best ? q : std::max(quality, q);
    best = match;
  }
  return quality;
}

}  // namespace dropscore::http
