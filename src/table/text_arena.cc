#include "table/text_arena.h"

#include <algorithm>
#include <cstring>

namespace dropscore::table {

char* TextArena::allocate(std::size_t bytes) {
  while (current_ < blocks_.size() && blocks_[current_].size - used_ < bytes) {
    ++current_;
    used_ = 0;
  }
  if (current_ == blocks_.size()) {
    const std::size_t size = std::max(bytes, block_bytes);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    used_ = 0;
  }
  char* const out = blocks_[current_].bytes.get() + used_;
  used_ += bytes;
  return out;
}

std::string_view TextArena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* const out = allocate(text.size());
  std::memcpy(out, text.data(), text.size());
  return {out, text.size()};
}

void TextArena::clear() {
  current_ = 0;
  used_ = 0;
}

}  // namespace dropscore::table
