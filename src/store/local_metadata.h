// A blob's metadata in FOLDER/.dropscore/meta/, each set beside the ETag of the version that it belongs to.
// docs/formats/local-store.md. Internal to the local store.
#pragma once

#include <filesystem>
#include <string_view>

#include "store/store.h"

namespace dropscore::store {

/// The metadata of version `etag` of `name`; none where none are kept, or what is kept cannot be read.
Metadata read_metadata(const std::filesystem::path& folder, std::string_view name, std::string_view etag);

/// True where any version's metadata are kept for `name`.
bool has_metadata(const std::filesystem::path& folder, std::string_view name);

/// Keeps `metadata` for version `etag`, and what was kept for version `present` (the one published now; empty: none);
/// forgets other versions. Durable when it returns. REQUIRES: the name's NameLock is held. Errors: `try_later`.
Status keep_metadata(const std::filesystem::path& folder, std::string_view name, std::string_view etag,
                     const Metadata& metadata, std::string_view present);

/// Forgets every version. REQUIRES: the name's NameLock is held.
void forget_metadata(const std::filesystem::path& folder, std::string_view name);

/// Forgets the metadata of blobs that somebody else removed.
void forget_orphaned_metadata(const std::filesystem::path& folder);

}  // namespace dropscore::store
