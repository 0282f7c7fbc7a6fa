// A blob being written: one Put Blob where it is small, else blocks, which are on their way while more is written, and
// a Put Block List. Internal to the Azure store.
#pragma once

#include <memory>
#include <string_view>

#include "store/azure_blob.h"

namespace dropscore::store {

/// REQUIRES: validate_name(name).
std::unique_ptr<BlobWriter> make_azure_writer(std::shared_ptr<AzureContainer> container, std::string_view name,
                                              const WriteCondition& condition);

}  // namespace dropscore::store
