// From the encodings that customers' files come in to UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "table/text_arena.h"

namespace dropscore::table {

/// A byte that no UTF-8 text holds: what stands for undecodable UTF-16, so that its row is found to be no text.
inline constexpr char not_utf8 = '\xFF';

/// True where every byte stands for a character in Windows-1252 (81, 8D, 8F, 90 and 9D do not).
bool is_windows_1252(std::string_view bytes);

/// `bytes`, read as Windows-1252, in UTF-8; undefined bytes as U+FFFD. ASCII is returned as it is, else a copy in
/// `arena`.
std::string_view windows_1252_to_utf8(std::string_view bytes, TextArena& arena);

/// `text` with its invalid bytes as U+FFFD. Valid text is returned as it is, else a copy in `arena`.
std::string_view repair_utf8(std::string_view text, TextArena& arena);

/// UTF-16 to UTF-8, in pieces cut anywhere. Not thread-safe.
class Utf16Decoder {
 public:
  explicit Utf16Decoder(bool big_endian) : big_endian_(big_endian) {}

  /// The most bytes that decode() writes for `bytes` bytes.
  static std::size_t most_bytes(std::size_t bytes) { return 2 * bytes + 8; }

  /// Decodes `size` bytes to `out` and returns how many bytes it wrote. A lone surrogate becomes `not_utf8`.
  /// REQUIRES: most_bytes(size) fit in `out`.
  std::size_t decode(const char* in, std::size_t size, char* out);
  /// There is no more: what was begun becomes `not_utf8`. Writes at most 2 bytes.
  std::size_t finish(char* out);

 private:
  char* put(std::uint32_t unit, char* out);

  bool big_endian_;
  bool has_half_ = false;             // one byte of a unit has come
  unsigned char half_ = 0;            // that byte
  std::uint32_t high_surrogate_ = 0;  // 0 for none
};

}  // namespace dropscore::table
