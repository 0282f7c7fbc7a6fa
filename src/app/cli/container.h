// The container that a URI names: a folder, or one of Azure Blob Storage with the environment's credentials.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "azure/account.h"
#include "base/result.h"
#include "net/http_client.h"
#include "store/store.h"

namespace dropscore::app {

struct Container {
  std::unique_ptr<store::BlobStore> store;
  std::filesystem::path folder;           ///< of a local one
  std::optional<azure::Account> account;  ///< of a remote one

  bool is_remote() const { return account.has_value(); }
};

/// Opens it, and makes it where it is missing. Errors: `misuse` (no such address, no credential, no right, not a
/// folder), `try_later` (the service cannot be reached).
Result<Container> open_container(const std::string& uri, const std::shared_ptr<net::HttpClient>& client);

/// A container's URL without its query, which may hold a SAS: what may be printed. A folder as it is.
std::string shown(const std::string& uri);

/// Errors: `misuse` where results would be taken for input: equal or nested folders, or the same container.
Status check_apart(const std::string& input, const std::string& output);

}  // namespace dropscore::app
