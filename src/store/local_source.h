// A file being read, as one version of it. Internal to the local store.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "store/local_paths.h"

namespace dropscore::store {

/// Reads `opened` from `offset`. With `etag`, what is read is hashed on its way, and the read that would report the end
/// fails with `changed` unless the whole was that version; a change of size or modification time fails earlier.
/// Errors: `try_later`.
Result<std::unique_ptr<ByteSource>> make_local_source(OpenedFile opened, const std::optional<std::string>& etag,
                                                      std::uint64_t offset, std::filesystem::path path_for_messages);

}  // namespace dropscore::store
