#pragma once

#include <string>

#include "azure/storage_client.h"

namespace dropscore::azure {

/// x-ms-error-code, else the <Code> of the body; empty where neither is a code.
std::string error_code_of(const StorageReply& reply);
/// x-ms-request-id; empty where there is none, or something else under its name.
std::string request_id_of(const StorageReply& reply);

}  // namespace dropscore::azure
