#include "event/blob_url.h"

#include <algorithm>

#include "net/http_client.h"

namespace dropscore::event {
namespace {

/// "https://ACCOUNT.blob.core.windows.net/..." (or ".dfs.", or with a zone before it) against
/// "http://HOST:PORT/ACCOUNT/...".
std::optional<std::string_view> account_of_host(std::string_view host) {
  const std::size_t dot = host.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  for (const std::string_view service : {".blob.", ".dfs."}) {
    if (host.find(service, dot) != std::string_view::npos) return host.substr(0, dot);
  }
  return std::nullopt;
}

/// What stands before the next '/', which goes too.
std::string_view cut_part(std::string_view& path) {
  const std::size_t slash = std::min(path.find('/'), path.size());
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return part;
}

}  // namespace

std::optional<BlobName> parse_blob_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const std::string_view host = cut_part(rest);
  const std::optional<std::string_view> account = account_of_host(host);
  BlobName name;
  name.account = account ? *account : cut_part(rest);
  const auto container = net::percent_decoded(cut_part(rest));
  const auto blob = net::percent_decoded(rest);
  if (name.account.empty() || !container || !blob || container->empty() || blob->empty()) return std::nullopt;
  name.container = *container;
  name.blob = *blob;
  return name;
}

}  // namespace dropscore::event
