// Blocks of one blob on their way to the service, a few at a time, while the next one is being filled. Internal to the
// Azure store.
#pragma once

#include <cstddef>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/azure_blob.h"

namespace dropscore::store {

inline constexpr std::size_t max_blocks = 50'000;                   ///< of one blob: the service's limit
inline constexpr std::size_t max_block_bytes = 4000 * limits::mib;  ///< likewise

/// How many bytes block `index` (from 0) takes: `first_bytes` for 5,000 blocks, twice as many for the next 5,000, and
/// so on up to max_block_bytes: 19.5 TiB with blocks of 4 MiB at first, of which the first 19.5 GiB in such.
std::size_t block_bytes_at(std::size_t first_bytes, std::size_t index);

/// 64 hexadecimal digits, which are base64 too: of 48 bytes, as the ids of Azure's own clients. All ids of a blob must
/// be of one length, also those that somebody else left uncommitted. `writer` is 32 of them.
std::string block_id(std::string_view writer, std::size_t index);

/// Put Block for one block after the other, up to AzureStoreOptions::parallel_blocks at a time, each in a thread that
/// lives as long as its request. What is on the way is never more than so many blocks of the first size, or one block.
/// Used by one thread. The destructor waits for what is on the way, as long as the policy tries it again.
class BlockUploads {
 public:
  BlockUploads(std::shared_ptr<AzureContainer> container, std::string path);

  /// How many bytes the next block takes.
  std::size_t next_bytes() const { return block_bytes_at(container_->options.block_bytes, count_); }
  /// Takes the block away, and leaves an empty string with as much room, where there is one to spare. Waits while as
  /// many are on the way as may be. Errors: those of blob_error() for this or an earlier block, `too_large`; after
  /// which nothing more should be sent.
  Status send(std::string& block);
  /// Waits for all. Errors: as send().
  Status finish();

  std::size_t count() const { return count_; }
  /// The body of Put Block List: all of them in their order.
  std::string list() const;

 private:
  struct Landed {
    Status status;
    std::string room;  ///< the block's memory
  };

  std::size_t most_on_the_way() const;
  Status land_first();

  std::shared_ptr<AzureContainer> container_;
  std::string path_;
  std::string writer_;
  std::size_t count_ = 0;  ///< given to send()
  std::deque<std::future<Landed>> on_the_way_;
  std::vector<std::string> rooms_;  ///< empty strings that have a block's memory
};

}  // namespace dropscore::store
