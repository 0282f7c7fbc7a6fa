#include "net/http_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "net/curl_handle.h"
#include "net/transfer.h"

namespace dropscore::net {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

/// One part of a parsed URL; empty where it has none.
std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "[::1]" || host.starts_with("127."); }

Result<Target> parse_target(const Request& request) {
  const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, request.url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK) {
    return fail(ErrorKind::misuse, "not a URL that a request can be sent to");
  }
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return fail(ErrorKind::misuse, "a URL is neither http:// nor https://");
  if (!part_of(url.get(), CURLUPART_USER).empty() || !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return fail(ErrorKind::misuse, "a URL may hold no user name or password");
  }
  const std::string host = part_of(url.get(), CURLUPART_HOST);
  const std::string port = part_of(url.get(), CURLUPART_PORT);
  Target target;
  target.origin = fmt::format("{}://{}:{}", scheme, host, part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  target.place = fmt::format("{} {}{}{}{}", request.method, host, port.empty() ? "" : ":", port,
                             part_of(url.get(), CURLUPART_PATH));
  target.is_loopback = is_loopback(host);
  return target;
}

bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

/// Nothing that would end a header line early.
bool is_header(const Header& header) {
  static constexpr std::string_view forbidden("\r\n\0", 3);
  return is_token(header.name) && header.value.find_first_of(forbidden) == std::string::npos;
}

}  // namespace

struct HttpClient::Pool : CurlPool {};

HttpClient::HttpClient() : pool_(std::make_shared<Pool>()) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<Exchange>> HttpClient::send(const Request& request) {
  DROPSCORE_TRY(Target target, parse_target(request));
  if (!is_token(request.method) || !std::all_of(request.headers.begin(), request.headers.end(), is_header)) {
    return fail(ErrorKind::misuse, "a request's method or header holds characters that it may not");
  }
  std::unique_ptr<CurlHandle> handle = pool_->take(target.origin);
  if (!handle) return fail(ErrorKind::try_later, "no memory for a connection");
  auto transfer = std::make_unique<Transfer>(request, std::move(target), pool_, std::move(handle));
  DROPSCORE_CHECK(transfer->start(request));
  return transfer;
}

}  // namespace dropscore::net
