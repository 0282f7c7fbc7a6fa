// A file or a pipe as a ByteSource.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"

namespace dropscore {

/// Opens `path`; "-" is standard input. Errors: `not_found`, `try_later`; reading stops with `give_up` once a stop
/// signal was caught.
Result<std::unique_ptr<ByteSource>> open_file_source(const std::filesystem::path& path);

}  // namespace dropscore
