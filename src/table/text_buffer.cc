#include "table/text_buffer.h"

#include <algorithm>
#include <cstring>

#include "table/block_scan.h"

namespace dropscore::table {

/// Makes `bytes` bytes free after the text. The text moves to the front once what was taken is as large, or where the
/// end is reached; as capacity is at least twice the text, either move is paid for by the bytes that came since.
void TextBuffer::reserve(std::size_t bytes) {
  const std::size_t waiting = end_ - begin_;
  const bool fits = capacity_ - end_ >= bytes;
  if (fits && (begin_ == 0 || begin_ < waiting)) return;
  if (capacity_ < 2 * waiting + bytes) {
    const std::size_t capacity = std::max(2 * (waiting + bytes), 2 * capacity_);
    auto grown = std::make_unique_for_overwrite<char[]>(capacity + scan_block_bytes);
    if (waiting > 0) std::memcpy(grown.get(), bytes_.get() + begin_, waiting);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  } else if (waiting > 0) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, waiting);
  }
  moved_ += begin_;
  begin_ = 0;
  end_ = waiting;
}

std::span<char> TextBuffer::room(std::size_t bytes) {
  if (!decoder_) {
    reserve(bytes);
    return {bytes_.get() + end_, bytes};
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
  end_ += decoder_->decode(undecoded_.get(), bytes, bytes_.get() + end_);
}

void TextBuffer::finish() {
  if (finished_) return;
  finished_ = true;
  if (!decoder_) return;
  reserve(Utf16Decoder::most_bytes(0));
  end_ += decoder_->finish(bytes_.get() + end_);
}

void TextBuffer::decode_utf16(bool big_endian) {
  const std::size_t waiting = end_ - begin_;
  decoder_.emplace(big_endian);
  const std::span<char> copy = room(std::max<std::size_t>(waiting, 1));
  std::memcpy(copy.data(), bytes_.get() + begin_, waiting);
  begin_ = 0;
  end_ = 0;
  commit(waiting);
  if (finished_) {
    finished_ = false;
    finish();
  }
}

}  // namespace dropscore::table
