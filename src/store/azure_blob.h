// What the operations on a container's blobs have in common: metadata and conditions as headers, and what a refusal
// means. Internal to the Azure store. Wire facts: Microsoft's "Blob Service REST API".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azure/storage_client.h"
#include "store/azure_store.h"
#include "store/store.h"

namespace dropscore::store {

/// The container as the store, its sources and its writers share it. Thread-safe.
struct AzureContainer {
  azure::StorageClient client;
  std::string name;
  AzureStoreOptions options;

  std::string path_of(std::string_view blob) const { return azure::blob_path(name, blob); }
};

/// One x-ms-meta-KEY for each. A value goes as it is, unless the header could not carry it (other than printable ASCII,
/// spaces at an end) or it would read as encoded: then it is percent-encoded whole. An empty one goes as "%00", which
/// no value holds, because not every party on the way keeps a header without a value.
/// Errors: `misuse` (not valid, or over the service's limit once encoded).
Result<std::vector<net::Header>> metadata_headers(const Metadata& metadata);

/// Undoes it, and takes the headers of others as they come. Keys in lower case.
Metadata metadata_of(const std::vector<net::Header>& headers);
std::string metadata_value_from_wire(std::string_view value);
std::string lower_case(std::string_view text);

/// By the end of the name: application/json, text/csv, else application/octet-stream.
std::string_view content_type_of(std::string_view name);

/// False for a text that is no ETag, and so no blob's, and must not get into a header.
bool is_etag(std::string_view etag);

/// True where a condition did not hold, and not where something else stood in the way: a lease, the archive tier.
bool is_failed_condition(const azure::StorageReply& reply);

/// `not_found` (the blob), `changed` (a condition), `reject` (a name that the service cannot hold), `try_later` (the
/// container is missing, a lease, a right), else what azure::unexpected_reply() says.
Error blob_error(std::string_view operation, std::string_view path, const azure::StorageReply& reply);

tl::unexpected<Error> has_changed();

/// An answer that no storage service gives, from something on the way. `try_later`.
tl::unexpected<Error> strange_answer(std::string_view operation, std::string_view path, std::string_view what);

struct BlobHead {
  BlobProperties properties;
  std::string content_md5;  ///< base64; empty where the service has none
};

/// Errors: `not_found`, `changed`, `try_later`.
Result<BlobHead> head_blob(AzureContainer& container, std::string_view name,
                           const std::optional<std::string>& if_match = std::nullopt);

/// A condition on a blob that is not there may fail as if the blob had changed: where `error` is `changed`, asks again.
Error missing_or_changed(AzureContainer& container, std::string_view name, Error error);

/// A decimal number and nothing else.
std::optional<std::uint64_t> parse_count(std::string_view digits);

}  // namespace dropscore::store
