// From a URL and the environment to an account with a credential.
#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "azure/account.h"
#include "azure/endpoint.h"
#include "azure/token.h"

namespace dropscore::azure {
namespace {

constexpr std::array<const char*, 3> connection_variables = {"DROPSCORE_CONNECTION_STRING",
                                                             "AZURE_STORAGE_CONNECTION_STRING", "AzureWebJobsStorage"};

/// Set to something: an empty variable is as good as none.
std::optional<std::string> setting(const Environment& environment, const char* name) {
  std::optional<std::string> value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

Result<ConnectionString> parse_variable(const char* name, const std::string& text) {
  Result<ConnectionString> parsed = parse_connection_string(text);
  if (!parsed) return fail(ErrorKind::misuse, fmt::format("{}: {}", name, parsed.error().detail.text));
  return parsed;
}

/// The first of the environment's that is of the URL's account.
Result<std::optional<ConnectionString>> matching_connection_string(const ResourceUrl& url,
                                                                   const Environment& environment) {
  for (const char* name : connection_variables) {
    const std::optional<std::string> text = setting(environment, name);
    if (!text) continue;
    DROPSCORE_TRY(ConnectionString parsed, parse_variable(name, *text));
    if (same_endpoint(parsed.blob_endpoint, url.endpoint) || same_endpoint(parsed.queue_endpoint, url.endpoint)) {
      return std::optional(std::move(parsed));
    }
  }
  return std::optional<ConnectionString>();
}

Result<std::shared_ptr<Credential>> key_or_sas(const std::string& account, const std::string& key,
                                               const std::string& sas) {
  if (key.empty()) return shared_access_signature(sas);
  return shared_key(account, key);
}

/// The same account's endpoint for the other service; empty where the host does not name the first.
std::string other_endpoint(const std::string& endpoint, std::string_view from, std::string_view to) {
  const std::size_t at = endpoint.find(from);
  if (at == std::string::npos) return {};
  return endpoint.substr(0, at) + std::string(to) + endpoint.substr(at + from.size());
}

Account account_of(const ResourceUrl& url) {
  Account account;
  account.name = url.account;
  if (std::string blob = other_endpoint(url.endpoint, ".queue.", ".blob."); !blob.empty()) {
    account.blob_endpoint = std::move(blob);
    account.queue_endpoint = url.endpoint;
  } else {
    account.blob_endpoint = url.endpoint;
    account.queue_endpoint = other_endpoint(url.endpoint, ".blob.", ".queue.");
  }
  return account;
}

/// AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN are AZURE_STORAGE_ACCOUNT's, where that is set.
bool is_of_another_account(const Environment& environment, const std::string& account) {
  const std::optional<std::string> named = setting(environment, "AZURE_STORAGE_ACCOUNT");
  return named && *named != account;
}

/// Half of what an identity needs is an oversight, not another kind of identity.
Status check_identity_settings(const Environment& environment) {
  for (const char* main : {"AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"}) {
    if (!setting(environment, main)) continue;
    for (const char* needed : {"AZURE_TENANT_ID", "AZURE_CLIENT_ID"}) {
      if (!setting(environment, needed)) {
        return fail(ErrorKind::misuse, fmt::format("{} is set, but {} is not", main, needed));
      }
    }
    break;
  }
  return {};
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<std::optional<ConnectionString>> connection_string(const Environment& environment) {
  for (const char* name : connection_variables) {
    const std::optional<std::string> text = setting(environment, name);
    if (!text) continue;
    DROPSCORE_TRY(ConnectionString parsed, parse_variable(name, *text));
    return std::optional(std::move(parsed));
  }
  return std::optional<ConnectionString>();
}

Result<Account> resolve_account(const ResourceUrl& url, const Environment& environment,
                                std::shared_ptr<net::HttpClient> client) {
  Account account = account_of(url);
  if (!url.sas.empty()) {
    account.credential = shared_access_signature(url.sas);
    return account;
  }
  DROPSCORE_TRY(const std::optional<ConnectionString> connection, matching_connection_string(url, environment));
  if (connection) {
    account.name = connection->account;
    account.blob_endpoint = connection->blob_endpoint;
    account.queue_endpoint = connection->queue_endpoint;
    DROPSCORE_TRY(account.credential, key_or_sas(connection->account, connection->key, connection->sas));
    return account;
  }
  const std::string key = setting(environment, "AZURE_STORAGE_KEY").value_or("");
  const std::string sas = setting(environment, "AZURE_STORAGE_SAS_TOKEN").value_or("");
  if (!(key.empty() && sas.empty()) && !is_of_another_account(environment, url.account)) {
    Result<std::shared_ptr<Credential>> credential =
        key_or_sas(url.account, key, sas.substr(sas.starts_with('?') ? 1 : 0));
    if (!credential) return fail(ErrorKind::misuse, "AZURE_STORAGE_KEY: " + credential.error().detail.text);
    account.credential = *std::move(credential);
    return account;
  }
  if (url.endpoint.starts_with("http://")) {
    return fail(ErrorKind::misuse,
                fmt::format("no connection string, key or signature for the storage account {}; a Microsoft Entra "
                            "token is sent over https:// only",
                            url.account));
  }
  DROPSCORE_CHECK(check_identity_settings(environment));
  account.credential = token_credential(environment, std::move(client));
  return account;
}

}  // namespace dropscore::azure
