// A blob being read: one Get Blob, streamed, and taken up again at the byte reached where the connection is lost.
// Internal to the Azure store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "store/azure_blob.h"

namespace dropscore::store {

/// Opens `name` from `offset`, as BlobStore::open(). The version opened is the version read: each further request asks
/// for its ETag. A request is sent again as the policy says. A connection that is lost after its header is made up for
/// max_tries - 1 times, within the policy's budget; both count anew once a byte has come, so that a large blob may lose
/// many. REQUIRES: validate_name(name). Errors: `not_found`, `changed`, `try_later`.
Result<std::unique_ptr<ByteSource>> open_azure_source(std::shared_ptr<AzureContainer> container, std::string_view name,
                                                      const std::optional<std::string>& if_match, std::uint64_t offset);

}  // namespace dropscore::store
