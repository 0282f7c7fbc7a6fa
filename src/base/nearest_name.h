// For "did you mean ...?": of columns, commands, options.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dropscore {

/// The name among `candidates` that is most like `name` (edit distance, letter case ignored); empty where none is
/// close.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace dropscore
