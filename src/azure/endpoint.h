// The parts of an http:// or https:// URL, strictly: what endpoints, container URLs and connection strings are read
// with.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace dropscore::azure {

struct UrlParts {
  std::string scheme;     ///< in small letters
  std::string authority;  ///< host, and ":port" where it has one; in small letters
  std::string host;       ///< in small letters; IPv6 with its brackets
  std::string path;       ///< as it is, without '/' at its end; empty or starts with '/'
  std::string query;      ///< without '?'
};

/// Errors: `misuse` (another scheme, no host, a user name, a fragment, a space or control character), without the URL.
Result<UrlParts> split_url(std::string_view url);

/// An address, or a name that DNS knows nothing of: an emulator's, which has the account in the path.
bool is_plain_host(std::string_view host);

/// True where both URLs are the same endpoint: default ports are left out, localhost is 127.0.0.1.
bool same_endpoint(std::string_view a, std::string_view b);

}  // namespace dropscore::azure
