// A blob's own address, as events and Azure Functions give it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dropscore::event {

struct BlobName {
  std::string account;
  std::string container;  ///< decoded
  std::string blob;       ///< decoded
};

/// https://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB (any cloud's suffix, ".dfs." too), or an emulator's
/// http://HOST:PORT/ACCOUNT/CONTAINER/BLOB; percent-encoded; a query is not looked at. Empty where it is neither.
std::optional<BlobName> parse_blob_url(std::string_view url);

}  // namespace dropscore::event
