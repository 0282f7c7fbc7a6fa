// "DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net" and its relatives.
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "azure/account.h"
#include "azure/endpoint.h"
#include "azure/text.h"
#include "base/base64.h"

namespace dropscore::azure {
namespace {

// Microsoft's emulator ships with one account; its key is printed in its documentation and protects nothing.
constexpr std::string_view emulator_account = "devstoreaccount1";
constexpr std::string_view emulator_key =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

using Settings = std::map<std::string, std::string, std::less<>>;

tl::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorKind::misuse, fmt::format("the connection string {}", why));
}

Result<Settings> split(std::string_view text) {
  Settings settings;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) return bad("has a part without a name and '='");
    const auto [at, is_new] = settings.emplace(ascii_lower(part.substr(0, equals)), part.substr(equals + 1));
    if (!is_new) return bad("says one thing twice");
  }
  if (settings.empty()) return bad("is empty");
  return settings;
}

std::string value_of(const Settings& settings, std::string_view name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

Result<std::string> endpoint_of(const Settings& settings, std::string_view name) {
  const std::string text = value_of(settings, name);
  if (text.empty()) return std::string();
  const Result<UrlParts> parts = split_url(text);
  if (!parts || !parts->query.empty()) return bad("has an endpoint that is no http:// or https:// URL");
  return fmt::format("{}://{}{}", parts->scheme, parts->authority, parts->path);
}

Result<ConnectionString> emulator(const Settings& settings) {
  std::string host = "http://127.0.0.1";
  if (const std::string proxy = value_of(settings, "developmentstorageproxyuri"); !proxy.empty()) {
    const Result<UrlParts> parts = split_url(proxy);
    if (!parts) return bad("has a DevelopmentStorageProxyUri that is no URL");
    host = fmt::format("{}://{}", parts->scheme, parts->host);
  }
  return ConnectionString{std::string(emulator_account),
                          std::string(emulator_key),
                          {},
                          fmt::format("{}:10000/{}", host, emulator_account),
                          fmt::format("{}:10001/{}", host, emulator_account)};
}

/// Of "https://ACCOUNT.blob...." or "http://HOST/ACCOUNT".
std::string account_of(std::string_view endpoint) {
  const Result<UrlParts> parts = split_url(endpoint);
  if (!parts) return {};
  if (is_plain_host(parts->host)) return parts->path.empty() ? std::string() : parts->path.substr(1);
  return parts->host.substr(0, parts->host.find('.'));
}

}  // namespace

Result<ConnectionString> parse_connection_string(std::string_view text) {
  DROPSCORE_TRY(const Settings settings, split(text));
  if (equal_ignoring_case(value_of(settings, "usedevelopmentstorage"), "true")) return emulator(settings);

  ConnectionString parsed;
  DROPSCORE_TRY(parsed.blob_endpoint, endpoint_of(settings, "blobendpoint"));
  DROPSCORE_TRY(parsed.queue_endpoint, endpoint_of(settings, "queueendpoint"));
  parsed.account = value_of(settings, "accountname");
  if (parsed.account.empty()) {
    parsed.account = account_of(parsed.blob_endpoint.empty() ? parsed.queue_endpoint : parsed.blob_endpoint);
  }
  if (parsed.account.empty()) return bad("has no AccountName");
  if (parsed.account.find_first_of("/:@?# ") != std::string::npos) return bad("has an AccountName that cannot be one");

  parsed.key = value_of(settings, "accountkey");
  if (!parsed.key.empty() && !base64_decoded(parsed.key)) return bad("has an AccountKey that is not base64");
  parsed.sas = value_of(settings, "sharedaccesssignature");
  if (parsed.sas.starts_with('?')) parsed.sas.erase(0, 1);
  if (parsed.key.empty() && parsed.sas.empty()) return bad("has neither AccountKey nor SharedAccessSignature");
  if (!parsed.key.empty()) parsed.sas.clear();

  std::string scheme = ascii_lower(value_of(settings, "defaultendpointsprotocol"));
  if (scheme.empty()) scheme = "https";
  if (scheme != "http" && scheme != "https") return bad("has a DefaultEndpointsProtocol other than http and https");
  std::string suffix = value_of(settings, "endpointsuffix");
  if (suffix.empty()) suffix = "core.windows.net";
  for (auto& [endpoint, service] : {std::pair<std::string&, const char*>(parsed.blob_endpoint, "blob"),
                                    std::pair<std::string&, const char*>(parsed.queue_endpoint, "queue")}) {
    if (!endpoint.empty()) continue;
    endpoint = ascii_lower(fmt::format("{}://{}.{}.{}", scheme, parsed.account, service, suffix));
    if (!split_url(endpoint)) return bad("has an EndpointSuffix that cannot be one");
  }
  return parsed;
}

}  // namespace dropscore::azure
