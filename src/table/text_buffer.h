// The text that was read and not yet taken: a window that moves over the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "table/encoding.h"
#include "table/text_index.h"

namespace dropscore::table {

/// Memory for text, with text_padding readable bytes around it.
struct TextBlock {
  std::unique_ptr<char[]> memory;
  std::size_t capacity = 0;

  char* text() const { return memory == nullptr ? nullptr : memory.get() + text_padding; }
  /// The content is lost where it has to grow.
  void reserve(std::size_t bytes) {
    if (capacity >= bytes) return;
    memory = std::make_unique_for_overwrite<char[]>(bytes + 2 * text_padding);
    capacity = bytes;
  }
};

/// Bytes are moved and memory is grown such that both stay linear in what is committed, in pieces of any size.
/// Not thread-safe; movable.
class TextBuffer {
 public:
  /// `bytes` bytes to fill. Moves the text.
  std::span<char> room(std::size_t bytes);
  /// The first `bytes` of room() were filled.
  void commit(std::size_t bytes);
  void finish();

  /// From here on the bytes are UTF-16, those that wait in the buffer included. Moves the text.
  void decode_utf16(bool big_endian);

  /// What waits, between readable bytes of no meaning (text_padding of them).
  std::string_view text() const { return {block_.text() + begin_, end_ - begin_}; }
  /// The place of text()'s first byte in the whole text.
  std::uint64_t offset() const { return moved_ + begin_; }
  bool finished() const { return finished_; }
  /// The first `bytes` of text() are done with; they stay in place until room() or commit().
  void take(std::size_t bytes) { begin_ += bytes; }

  /// The first `bytes` of text() are done with here and now lie in `block`, wherever that is cheaper: by copying them,
  /// or by exchanging the memory and copying the rest. Returns where they lie.
  std::string_view take_into(std::size_t bytes, TextBlock& block);

 private:
  void reserve(std::size_t bytes);

  TextBlock block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t moved_ = 0;
  bool finished_ = false;
  std::optional<Utf16Decoder> decoder_;
  std::unique_ptr<char[]> undecoded_;
  std::size_t undecoded_capacity_ = 0;
};

}  // namespace dropscore::table
