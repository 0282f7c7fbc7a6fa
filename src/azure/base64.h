// Base64 (RFC 4648, 4): with padding, without line ends.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace dropscore::azure {

std::string base64_encoded(std::string_view bytes);
/// Errors: `reject` (a character of another alphabet, a wrong length or padding), without the text.
Result<std::string> base64_decoded(std::string_view text);

}  // namespace dropscore::azure
