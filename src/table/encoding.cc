#include "table/encoding.h"

#include <array>

#include "base/utf8.h"

namespace dropscore::table {
namespace {

// Unicode's table CP1252 for 80 to 9F; 0 is undefined. A0 to FF are their own code points.
constexpr std::array<std::uint16_t, 32> windows_1252_table = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::uint32_t windows_1252_code(unsigned char byte) {
  if (byte < 0x80 || byte >= 0xA0) return byte;
  return windows_1252_table[byte - 0x80U];
}

constexpr std::uint32_t replacement = 0xFFFD;

bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

bool is_windows_1252(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && windows_1252_code(byte) == 0) return false;
  }
  return true;
}

std::string_view windows_1252_to_utf8(std::string_view bytes, TextArena& arena) {
  if (is_ascii(bytes)) return bytes;
  const std::size_t room = 3 * bytes.size();
  char* const begin = arena.allocate(room);
  char* out = begin;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const std::uint32_t code = windows_1252_code(byte);
    out = put_utf8(code == 0 && byte != 0 ? replacement : code, out);
  }
  const auto size = static_cast<std::size_t>(out - begin);
  arena.give_back(room - size);
  return {begin, size};
}

std::string_view repair_utf8(std::string_view text, TextArena& arena) {
  if (is_utf8(text)) return text;
  const std::size_t room = 3 * text.size();
  char* const begin = arena.allocate(room);
  char* out = begin;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence_bytes(text.substr(at));
    if (length == 0) {
      out = put_utf8(replacement, out);
      ++at;
    } else {
      out += text.copy(out, length, at);
      at += length;
    }
  }
  const auto size = static_cast<std::size_t>(out - begin);
  arena.give_back(room - size);
  return {begin, size};
}

char* Utf16Decoder::put(std::uint32_t unit, char* out) {
  if (high_surrogate_ != 0) {
    const std::uint32_t high = high_surrogate_;
    high_surrogate_ = 0;
    if (is_low_surrogate(unit)) return put_utf8(0x10000U + ((high - 0xD800U) << 10U) + (unit - 0xDC00U), out);
    *out++ = not_utf8;
  }
  if (is_high_surrogate(unit)) {
    high_surrogate_ = unit;
  } else if (is_low_surrogate(unit)) {
    *out++ = not_utf8;
  } else {
    out = put_utf8(unit, out);
  }
  return out;
}

std::size_t Utf16Decoder::decode(const char* in, std::size_t size, char* out) {
  char* const begin = out;
  const auto unit = [this](unsigned char first, unsigned char second) -> std::uint32_t {
    return big_endian_ ? (std::uint32_t{first} << 8U) | second : (std::uint32_t{second} << 8U) | first;
  };
  std::size_t at = 0;
  if (has_half_ && size > 0) {
    out = put(unit(half_, static_cast<unsigned char>(in[0])), out);
    has_half_ = false;
    at = 1;
  }
  for (; at + 2 <= size; at += 2) {
    out = put(unit(static_cast<unsigned char>(in[at]), static_cast<unsigned char>(in[at + 1])), out);
  }
  if (at < size) {
    has_half_ = true;
    half_ = static_cast<unsigned char>(in[at]);
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t Utf16Decoder::finish(char* out) {
  std::size_t count = 0;
  if (high_surrogate_ != 0) out[count++] = not_utf8;
  if (has_half_) out[count++] = not_utf8;
  high_surrogate_ = 0;
  has_half_ = false;
  return count;
}

}  // namespace dropscore::table
