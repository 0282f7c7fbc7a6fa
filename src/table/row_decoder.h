// Makes UTF-8 of records. Which encoding a file without a byte order mark has is decided at the first record that holds
// more than ASCII, so that it depends on the bytes alone and never on how they were cut.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "table/csv_reader.h"
#include "table/text_arena.h"

namespace dropscore::table {

/// Not thread-safe.
class RowDecoder {
 public:
  /// By default undecided: UTF-8 or Windows-1252.
  RowDecoder() = default;
  /// `encoding` is known. UTF-16 is taken to be transcoded already.
  explicit RowDecoder(Encoding encoding) : encoding_(encoding), decided_(true) {}

  Encoding encoding() const { return encoding_; }
  /// No record can change encoding() any more.
  bool decided() const { return decided_; }

  /// Turns a record and its cells into UTF-8, in place or in `arena`. False where its bytes are not of the file's
  /// encoding: U+FFFD stands for them, and `bad_column` is the first cell that held one (cells.size() for none).
  bool decode(std::string_view& raw, std::span<std::string_view> cells, std::uint32_t& bad_column, TextArena& arena);

  /// The same for a record that is cut short: decides nothing, and a character cut in two is no fault.
  void decode_cut(std::string_view& raw, std::span<std::string_view> cells, TextArena& arena) const;

 private:
  bool is_text(std::string_view bytes) const;
  void decide(std::string_view raw);

  Encoding encoding_ = Encoding::utf8;
  bool decided_ = false;
};

}  // namespace dropscore::table
