// Bytes that came and were not yet taken. Small while idle, never over its limit.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace dropscore::http {

class InputBuffer {
 public:
  explicit InputBuffer(std::size_t max_bytes) : max_bytes_(std::max(max_bytes, first_bytes)) {}

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  /// Space behind the bytes; empty where the limit is reached. Moves them: a view taken before is gone.
  std::span<char> room() {
    if (begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (was_full_ || end_ == capacity_) grow();
    was_full_ = false;
    return {data_.get() + end_, capacity_ - end_};
  }
  /// A read that filled all there was asks for more room next time.
  void commit(std::size_t count) {
    end_ += count;
    was_full_ = end_ == capacity_;
  }

  /// Keeps the last `count` bytes.
  void keep_last(std::size_t count) {
    begin_ = end_ - count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// Gives back what one large request needed.
  void shrink() {
    if (empty() && capacity_ > first_bytes) {
      data_.reset();
      capacity_ = begin_ = end_ = 0;
    }
  }

 private:
  static constexpr std::size_t first_bytes = 4096;

  void grow() {
    const std::size_t wanted = std::min(max_bytes_, std::max(first_bytes, capacity_ * 4));
    if (wanted == capacity_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (end_ > 0) std::memcpy(larger.get(), data_.get(), end_);
    data_ = std::move(larger);
    capacity_ = wanted;
  }

  std::size_t max_bytes_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool was_full_ = false;
};

}  // namespace dropscore::http
