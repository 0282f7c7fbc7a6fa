// UTF-8 (RFC 3629): telling valid sequences from others, writing them, and cutting text for a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dropscore {

inline constexpr std::string_view utf8_replacement = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view utf8_bom = "\xEF\xBB\xBF";

/// Length in bytes (1 to 4) of the valid sequence at the front of `text`; 0 where there is none.
/// Overlong forms, surrogates and anything over U+10FFFF are not valid.
std::size_t utf8_sequence_bytes(std::string_view text);

bool is_utf8(std::string_view text);
bool is_ascii(std::string_view text);

inline constexpr std::size_t max_utf8_bytes = 4;

/// Writes code point `code` to `out`; returns the end of what it wrote.
/// REQUIRES: code <= 0x10FFFF and no surrogate; room for max_utf8_bytes.
inline char* put_utf8(char32_t code, char* out) {
  const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
  return out;
}

/// Appends code point `code`. REQUIRES: code <= 0x10FFFF and no surrogate.
void append_utf8(std::string& out, char32_t code);

/// At most `max_characters` code points of `text`, invalid bytes as U+FFFD.
std::string excerpt(std::string_view text, std::size_t max_characters);

}  // namespace dropscore
