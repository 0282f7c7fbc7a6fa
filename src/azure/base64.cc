#include "azure/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace dropscore::azure {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values.at(static_cast<unsigned char>(alphabet[i])) = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> values = make_values();

}  // namespace

std::string base64_encoded(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text.push_back(i <= count ? alphabet[group >> (18U - 6U * i) & 63U] : '=');
    }
  }
  return text;
}

Result<std::string> base64_decoded(std::string_view text) {
  const auto bad = [] { return fail(ErrorKind::reject, "not base64"); };
  if (text.size() % 4 != 0) return bad();
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::string_view group = text.substr(at, 4);
    const bool last = at + 4 == text.size();
    const std::size_t padding = !last || group[3] != '=' ? 0 : group[2] == '=' ? 2 : 1;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint8_t value = i < 4 - padding ? values.at(static_cast<unsigned char>(group[i])) : std::uint8_t{0};
      if (value == no_digit) return bad();
      bits = bits << 6U | value;
    }
    const std::uint32_t left_over = padding == 2 ? bits & 0xFFFFU : padding == 1 ? bits & 0xFFU : 0;
    if (left_over != 0) return bad();  // bits that no byte takes: another text for the same bytes
    for (std::size_t i = 0; i < 3 - padding; ++i) bytes.push_back(static_cast<char>(bits >> (16U - 8U * i) & 255U));
  }
  return bytes;
}

}  // namespace dropscore::azure
