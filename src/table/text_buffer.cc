#include "table/text_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dropscore::table {

/// Makes `bytes` bytes free after the text. The text moves to the front once what was taken is as large, or where the
/// end is reached; as capacity is at least twice the text, either move is paid for by the bytes that came since.
void TextBuffer::reserve(std::size_t bytes) {
  const std::size_t waiting = end_ - begin_;
  const bool fits = block_.capacity - end_ >= bytes;
  if (fits && (begin_ == 0 || begin_ < waiting)) return;
  if (block_.capacity < 2 * waiting + bytes) {
    TextBlock grown;
    grown.reserve(std::max(2 * (waiting + bytes), 2 * block_.capacity));
    if (waiting > 0) std::memcpy(grown.text(), block_.text() + begin_, waiting);
    block_ = std::move(grown);
  } else if (waiting > 0) {
    std::memmove(block_.text(), block_.text() + begin_, waiting);
  }
  moved_ += begin_;
  begin_ = 0;
  end_ = waiting;
}

std::string_view TextBuffer::take_into(std::size_t bytes, TextBlock& block) {
  const std::string_view taken = text().substr(0, bytes);
  const std::string_view rest = text().substr(bytes);
  if (taken.size() <= rest.size()) {
    block.reserve(taken.size());
    taken.copy(block.text(), taken.size());
    take(bytes);
    return {block.text(), taken.size()};
  }
  block.reserve(block_.capacity);
  rest.copy(block.text(), rest.size());
  std::swap(block, block_);
  moved_ += begin_ + bytes;
  begin_ = 0;
  end_ = rest.size();
  return taken;
}

std::span<char> TextBuffer::room(std::size_t bytes) {
  if (!decoder_) {
    reserve(bytes);
    return {block_.text() + end_, bytes};
  }
  if (undecoded_capacity_ < bytes) {
    undecoded_ = std::make_unique_for_overwrite<char[]>(bytes);
    undecoded_capacity_ = bytes;
  }
  return {undecoded_.get(), bytes};
}

void TextBuffer::commit(std::size_t bytes) {
  if (!decoder_) {
    end_ += bytes;
    return;
  }
  reserve(Utf16Decoder::most_bytes(bytes));
  end_ += decoder_->decode(undecoded_.get(), bytes, block_.text() + end_);
}

void TextBuffer::finish() {
  if (finished_) return;
  finished_ = true;
  if (!decoder_) return;
  reserve(Utf16Decoder::most_bytes(0));
  end_ += decoder_->finish(block_.text() + end_);
}

void TextBuffer::decode_utf16(bool big_endian) {
  const std::size_t waiting = end_ - begin_;
  decoder_.emplace(big_endian);
  const std::span<char> copy = room(std::max<std::size_t>(waiting, 1));
  std::memcpy(copy.data(), block_.text() + begin_, waiting);
  begin_ = 0;
  end_ = 0;
  commit(waiting);
  if (finished_) {
    finished_ = false;
    finish();
  }
}

}  // namespace dropscore::table
