// A container of Azure Blob Storage, or of its emulator. docs/formats/azure-store.md
#pragma once

#include <memory>
#include <string>

#include "azure/account.h"
#include "azure/storage_client.h"
#include "base/limits.h"
#include "base/result.h"
#include "net/retry.h"
#include "store/store.h"

namespace dropscore::store {

struct AzureStoreOptions {
  net::RetryPolicy retry;
  /// Of a block; a blob of at most this much is one Put Blob. Grows in a blob that would need more than 50,000 blocks.
  std::size_t block_bytes = 4 * limits::mib;
  /// Of one blob, on their way at a time. A writer holds these and the one that is being filled.
  std::size_t parallel_blocks = 3;
  Status validate() const;
};

/// Sends nothing. ETags are the service's, without quotes; a metadata value with other than printable ASCII is
/// percent-encoded in its header. Errors: `misuse`.
Result<std::unique_ptr<BlobStore>> open_azure_store(const azure::Account& account, std::string container,
                                                    std::shared_ptr<net::HttpClient> client,
                                                    const AzureStoreOptions& options = {});

/// Makes the container where it is missing. Errors: `misuse` where the service refuses (no such right, a bad name),
/// `try_later` where it cannot be reached.
Status make_container(const azure::Account& account, const std::string& container,
                      std::shared_ptr<net::HttpClient> client, const net::RetryPolicy& retry = {});

}  // namespace dropscore::store
