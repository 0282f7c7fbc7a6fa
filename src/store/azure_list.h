// List Blobs: the pages of a container's list. Internal to the Azure store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/azure_blob.h"
#include "store/local_list.h"

namespace dropscore::store {

struct ListPage {
  std::vector<BlobProperties> blobs;  ///< folders left out, where the service tells them from blobs
  std::string next_marker;            ///< empty: the last page. A page without blobs need not be the last
};

/// Errors: `try_later` (no list of blobs, from something on the way).
Result<ListPage> parse_list_page(std::string xml);

/// BlobStore::list_with_metadata() for the container; `with_metadata` false leaves them empty. Passed over, with a
/// warning: blobs of names that the contract of stores refuses ("a//b"). Errors: `try_later`.
Status list_container(AzureContainer& container, bool with_metadata, PassedOver& passed_over,
                      const std::function<bool(const BlobProperties&)>& visit);

}  // namespace dropscore::store
