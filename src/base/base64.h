// Base64 (RFC 4648, section 4): bytes as text of A-Z a-z 0-9 + /, padded with '='.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dropscore {

std::string base64_encoded(std::string_view bytes);

/// The bytes of one whole, padded text; empty where it is none: another character (a line break too), a length that is
/// no multiple of 4, padding elsewhere, or unused bits that are not 0.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace dropscore
