#include <algorithm>

#include <fmt/format.h>

#include "azure/account.h"
#include "azure/endpoint.h"
#include "azure/text.h"
#include "net/http_client.h"

namespace dropscore::azure {
namespace {

tl::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorKind::misuse, fmt::format("not the URL of a container or queue: {}", why));
}

/// Small letters, digits and inner hyphens, or one of the service's own ("$root", "$web", "$logs").
bool is_resource_name(std::string_view name) {
  if (name.starts_with('$')) name.remove_prefix(1);
  return name.size() >= 3 && name.size() <= 63 && !name.starts_with('-') && !name.ends_with('-') &&
         name.find("--") == std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_account_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

/// "ACCOUNT.blob." and "ACCOUNT.queue.", whatever the cloud.
bool names_a_service(std::string_view host) {
  const std::size_t dot = host.find('.');
  const std::string_view rest = dot == std::string_view::npos ? std::string_view() : host.substr(dot);
  return rest.starts_with(".blob.") || rest.starts_with(".queue.");
}

/// A resource's URL, and what its path has behind the name, as it is written.
struct SplitUrl {
  ResourceUrl resource;
  std::string rest;
};

Result<SplitUrl> split_resource_url(std::string_view url) {
  DROPSCORE_TRY(const UrlParts parts, split_url(url));
  const std::string_view path = parts.path.empty() ? std::string_view() : std::string_view(parts.path).substr(1);
  const std::size_t slash = path.find('/');
  const bool two_parts = slash != std::string_view::npos;
  const bool path_style = is_plain_host(parts.host) || (two_parts && !names_a_service(parts.host));
  if (path.empty()) return bad("its path names none");
  if (path_style && !two_parts) return bad("its path is not /ACCOUNT/NAME, which this host wants");

  const std::string_view account =
      path_style ? path.substr(0, slash) : std::string_view(parts.host).substr(0, parts.host.find('.'));
  const std::string_view within = path_style ? path.substr(slash + 1) : path;
  const std::size_t end = std::min(within.find('/'), within.size());
  const std::string_view name = within.substr(0, end);
  if (!is_account_name(account)) return bad("an account's name has small letters and digits only");
  if (!is_resource_name(name)) return bad("a name has 3 to 63 small letters, digits and single hyphens");

  SplitUrl split;
  split.resource.endpoint = fmt::format("{}://{}", parts.scheme, parts.authority);
  if (path_style) split.resource.endpoint += fmt::format("/{}", account);
  split.resource.account = account;
  split.resource.name = name;
  split.resource.sas = parts.query;
  split.rest = within.substr(std::min(end + 1, within.size()));
  return split;
}

}  // namespace

Result<ResourceUrl> parse_resource_url(std::string_view url) {
  DROPSCORE_TRY(SplitUrl split, split_resource_url(url));
  if (!split.rest.empty()) return bad("its path goes on after the name");
  return std::move(split.resource);
}

Result<PathUrl> parse_path_url(std::string_view url) {
  DROPSCORE_TRY(SplitUrl split, split_resource_url(url));
  const Result<std::string> path = net::percent_decoded(split.rest);
  if (!path) return bad("its path is not percent-encoded as it should be");
  return PathUrl{std::move(split.resource), *path};
}

bool is_resource_url(std::string_view uri) {
  const std::string start = ascii_lower(uri.substr(0, 8));
  return start.starts_with("http://") || start.starts_with("https://");
}

}  // namespace dropscore::azure
