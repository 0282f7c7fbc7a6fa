#include "azure/endpoint.h"

#include <algorithm>

#include "azure/text.h"

namespace dropscore::azure {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.size() > 2 && host.ends_with(']');
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// The same text for every way to write an endpoint; as it is where it is none.
std::string normal(std::string_view url) {
  const Result<UrlParts> parts = split_url(url);
  if (!parts) return std::string(url);
  std::string port = parts->authority.substr(parts->host.size());
  if (port.empty()) port = parts->scheme == "http" ? ":80" : ":443";
  const std::string host = parts->host == "localhost" ? "127.0.0.1" : parts->host;
  return parts->scheme + "://" + host + port + parts->path;
}

}  // namespace

Result<UrlParts> split_url(std::string_view url) {
  const auto bad = [](const char* why) { return fail(ErrorKind::misuse, std::string("not a storage URL: ") + why); };
  const std::size_t colon = url.find("://");
  UrlParts parts;
  if (colon != std::string_view::npos) parts.scheme = ascii_lower(url.substr(0, colon));
  if (parts.scheme != "http" && parts.scheme != "https") return bad("it begins with neither http:// nor https://");
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; })) {
    return bad("it holds a space or a control character");
  }
  if (url.find('#') != std::string_view::npos) return bad("it holds a '#'");
  url.remove_prefix(colon + 3);

  const std::size_t question = std::min(url.find('?'), url.size());
  if (question < url.size()) parts.query = url.substr(question + 1);
  url = url.substr(0, question);

  const std::size_t slash = std::min(url.find('/'), url.size());
  parts.authority = ascii_lower(url.substr(0, slash));
  parts.path = url.substr(slash);
  while (parts.path.ends_with('/')) parts.path.pop_back();

  if (parts.authority.find('@') != std::string::npos) return bad("it holds a user name");
  const std::size_t bracket = parts.authority.starts_with('[') ? parts.authority.find(']') : 0;
  const std::size_t port = bracket == std::string::npos ? bracket : parts.authority.find(':', bracket);
  parts.host = parts.authority.substr(0, port);
  if (!is_host(parts.host)) return bad("it names no host");
  if (port != std::string::npos && !is_number(parts.authority.substr(port + 1))) return bad("its port is no number");
  return parts;
}

bool is_plain_host(std::string_view host) {
  if (host.starts_with('[') || host.find('.') == std::string_view::npos) return true;
  return std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool same_endpoint(std::string_view a, std::string_view b) { return normal(a) == normal(b); }

}  // namespace dropscore::azure
