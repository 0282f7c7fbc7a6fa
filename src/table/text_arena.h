// Text with one lifetime: unquoted and transcoded cells of a batch. Grows by blocks, so that what was handed out stays
// where it is, and keeps its blocks when cleared, so that a reader in its stride allocates nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace dropscore::table {

/// Not thread-safe; movable.
class TextArena {
 public:
  /// `bytes` bytes to write into, valid until clear(). Their content is undefined.
  char* allocate(std::size_t bytes);
  /// Gives back the last `bytes` bytes of the latest allocation.
  void give_back(std::size_t bytes) { used_ -= bytes; }
  /// A copy of `text` that lives until clear().
  std::string_view copy(std::string_view text);
  /// Everything handed out is void; the memory is kept.
  void clear();

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  static constexpr std::size_t block_bytes = 64 << 10;

  std::vector<Block> blocks_;
  std::size_t current_ = 0;  // index of the block in use
  std::size_t used_ = 0;     // bytes of it that were handed out
};

}  // namespace dropscore::table
