// A folder as a container. An ETag is a hash of the content, kept in memory for as long as the file's identity (inode,
// size, modification and change time) stays; metadata lie in FOLDER/.dropscore/meta/ beside the ETag that they belong
// to, so that a file written by someone else has none. docs/formats/local-store.md
#pragma once

#include <filesystem>
#include <memory>

#include "store/store.h"

namespace dropscore::store {

/// Makes the folder where it is missing, and clears away what writers that died have left in FOLDER/.dropscore/. Names
/// that start with '.' or '~' or end in ".tmp" or ".part" (in any part of the path) are not blobs: never listed.
/// Symbolic links to files are followed, to folders are not. A file that may not be read is passed over by list(), with
/// one warning in the log, and is `try_later` when asked for by name. Files are hashed by the thread that asks first.
/// Errors: `misuse` (not a folder), `try_later` (no right to make it or to read in it).
Result<std::unique_ptr<BlobStore>> open_local_store(const std::filesystem::path& folder);

/// True where a file of this relative name is one that the store lists and the trigger takes.
bool is_blob_name(std::string_view relative_path);

}  // namespace dropscore::store
