// A blob being written: one Put Blob where it is small, else blocks and a Put Block List. Internal to the Azure store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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

/// REQUIRES: validate_name(name).
std::unique_ptr<BlobWriter> make_azure_writer(std::shared_ptr<AzureContainer> container, std::string_view name,
                                              const WriteCondition& condition);

}  // namespace dropscore::store
