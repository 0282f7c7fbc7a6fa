// Where the cells of a piece of text end, for text in which a line end always ends a record: no quotes. Found for a
// whole piece at once, in vector registers (chosen at run time), so that who reads the cells does not branch on bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace dropscore::table {

/// Readable bytes of no meaning that stand before and after every text that is indexed here.
inline constexpr std::size_t text_padding = 64;

/// Reused from piece to piece. Not thread-safe; movable.
class TextIndex {
 public:
  static constexpr std::size_t most_bytes = std::size_t{32} * 1024;  ///< of one piece

  TextIndex();

  /// REQUIRES: text.size() <= most_bytes; text_padding readable bytes around it. With `decimal_comma` a comma is a
  /// decimal mark, too.
  void build(std::string_view text, char delimiter, bool decimal_comma);

  /// Places of delimiters and line feeds, ascending. Before the first stands 2^32 - 1, so that one more than the end
  /// before a cell is where it begins.
  std::span<const std::uint32_t> ends() const { return {ends_.get() + 1, end_count_}; }
  /// Which of ends() are line feeds, ascending.
  std::span<const std::uint32_t> line_ends() const { return {line_ends_.get(), line_end_count_}; }
  /// The place of the first quote, NUL or byte beyond ASCII at or after `place`; most_bytes where there is none.
  std::size_t next_odd(std::size_t place) const;

  /// What stands in the cell that begins at `place`, bit for byte, for at least 56 bytes from there on: bits beyond the
  /// text mean nothing. Only known where next_odd() is not within the cell.
  std::uint64_t marks(std::size_t place) const { return bits_at(marks_.get(), place); }    ///< decimal marks
  std::uint64_t others(std::size_t place) const { return bits_at(others_.get(), place); }  ///< no digit and no mark

 private:
  static std::uint64_t bits_at(const std::uint64_t* words, std::size_t place) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, reinterpret_cast<const char*>(words) + place / 8, sizeof bits);
    return bits >> (place % 8);
  }

  std::unique_ptr<std::uint32_t[]> ends_;
  std::unique_ptr<std::uint32_t[]> line_ends_;
  std::unique_ptr<std::uint64_t[]> odd_;
  std::unique_ptr<std::uint64_t[]> marks_;
  std::unique_ptr<std::uint64_t[]> others_;
  std::size_t end_count_ = 0;
  std::size_t line_end_count_ = 0;
  std::size_t words_ = 0;
  bool any_odd_ = false;
};

/// The lines at the front of `text`, as far as they are whole and hold no quotes.
struct PlainLines {
  std::size_t bytes = 0;     ///< with the last one's line feed
  std::size_t lines = 0;     ///< line feeds
  std::size_t records = 0;   ///< lines with content, which LF or CR LF alone have not
  bool found_quote = false;  ///< one stands in the line after them
};
/// With `ascii_only` a byte beyond ASCII also ends them. REQUIRES: `text` begins at a line's begin; text_padding
/// readable bytes after it.
PlainLines find_plain_lines(std::string_view text, bool ascii_only);

}  // namespace dropscore::table
