// UTF-8 (RFC 3629): telling valid sequences from others, and cutting text for a message.
#pragma once

#include <cstddef>
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

/// Appends code point `code`. REQUIRES: code <= 0x10FFFF and no surrogate.
void append_utf8(std::string& out, char32_t code);

/// At most `max_characters` code points of `text`, invalid bytes as U+FFFD.
std::string excerpt(std::string_view text, std::size_t max_characters);

}  // namespace dropscore
