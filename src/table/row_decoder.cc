#include "table/row_decoder.h"

#include "base/utf8.h"
#include "table/encoding.h"

namespace dropscore::table {

bool RowDecoder::is_text(std::string_view bytes) const {
  return encoding_ == Encoding::windows_1252 ? is_windows_1252(bytes) : is_utf8(bytes);
}

void RowDecoder::decide(std::string_view raw) {
  if (is_utf8(raw)) {
    decided_ = true;
  } else if (is_windows_1252(raw)) {
    encoding_ = Encoding::windows_1252;
    decided_ = true;
  }
}

bool RowDecoder::decode(std::string_view& raw, std::span<std::string_view> cells, std::uint32_t& bad_column,
                        TextArena& arena) {
  if (is_ascii(raw)) return true;
  if (!decided_) decide(raw);
  const bool text = is_text(raw);
  if (!text) {
    bad_column = 0;
    while (bad_column < cells.size() && is_text(cells[bad_column])) ++bad_column;
  }
  if (!text || encoding_ == Encoding::windows_1252) decode_cut(raw, cells, arena);
  return text;
}

void RowDecoder::decode_cut(std::string_view& raw, std::span<std::string_view> cells, TextArena& arena) const {
  const auto convert = [&](std::string_view bytes) {
    return encoding_ == Encoding::windows_1252 ? windows_1252_to_utf8(bytes, arena) : repair_utf8(bytes, arena);
  };
  raw = convert(raw);
  for (std::string_view& cell : cells) cell = convert(cell);
}

}  // namespace dropscore::table
