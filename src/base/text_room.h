// Appends to a string by writing where it will be: no check and no growth for each piece, only for each stretch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace dropscore {

/// While it lives the string belongs to it; then the string ends where writing ended. Not thread-safe.
class TextRoom {
 public:
  explicit TextRoom(std::string& out) : out_(out), used_(out.size()) {}
  TextRoom(const TextRoom&) = delete;
  TextRoom& operator=(const TextRoom&) = delete;
  ~TextRoom() { out_.resize(used_); }

  /// `bytes` bytes to write into, void at the next call.
  char* room(std::size_t bytes) {
    if (out_.size() - used_ < bytes) [[unlikely]]
      out_.resize(std::max(used_ + bytes + ahead_bytes, 2 * out_.size()));
    return out_.data() + used_;
  }
  /// The latest room() was written up to `end`.
  void wrote_to(const char* end) { used_ = static_cast<std::size_t>(end - out_.data()); }

  void append(std::string_view text) { wrote_to(room(text.size()) + text.copy(room(text.size()), text.size())); }

 private:
  static constexpr std::size_t ahead_bytes = 4096;
  std::string& out_;
  std::size_t used_;
};

}  // namespace dropscore
