// The payload of an invocation as a container that holds one blob, so that it is scored as any other blob is.
#pragma once

#include <memory>
#include <string>

#include "event/blob_url.h"
#include "store/store.h"

namespace dropscore::function {

/// Read-only. Its blob's ETag is a hash of the content: the service's own is not in what the host sends.
std::unique_ptr<store::BlobStore> payload_store(const event::BlobName& blob, std::string payload);

/// As if there were a blob that cannot be read, for the reason that `why` gives: it gets its error document.
std::unique_ptr<store::BlobStore> unreadable_payload(const event::BlobName& blob, Error why);

}  // namespace dropscore::function
