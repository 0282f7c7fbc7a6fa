#include "app/function/azure_stores.h"

#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "azure/token.h"
#include "base/log.h"
#include "store/azure_store.h"

namespace dropscore::function {
namespace {

tl::unexpected<Error> unusable(std::string_view setting, std::string_view why) {
  return fail(ErrorKind::misuse, fmt::format("the setting {}: {}", setting, why));
}

Result<azure::Account> account_of(const azure::ConnectionString& connection) {
  azure::Account account{connection.account, connection.blob_endpoint, connection.queue_endpoint, nullptr};
  if (connection.key.empty()) {
    account.credential = azure::shared_access_signature(connection.sas);
  } else {
    DROPSCORE_TRY(account.credential, azure::shared_key(connection.account, connection.key));
  }
  return account;
}

/// What the connection's own settings say of an identity stands before what the process's environment says.
azure::Environment identity_environment(const std::string& connection, const azure::Environment& environment) {
  return [connection, environment](const char* name) -> std::optional<std::string> {
    const auto setting = [&](const char* suffix) { return environment((connection + suffix).c_str()); };
    const bool managed = setting("__credential") == "managedidentity";
    const std::string_view asked = name;
    if (asked == "AZURE_CLIENT_ID") {
      if (auto id = setting("__clientId")) return id;
    } else if (asked == "AZURE_TENANT_ID") {
      if (auto id = setting("__tenantId")) return id;
    } else if (asked == "AZURE_CLIENT_SECRET") {
      if (managed) return std::nullopt;
      if (auto secret = setting("__clientSecret")) return secret;
    } else if (managed && asked == "AZURE_FEDERATED_TOKEN_FILE") {
      return std::nullopt;
    }
    return environment(name);
  };
}

/// The output binding of the host makes its container, and so do we.
void make_output_container(const azure::Account& account, const std::string& container,
                           const std::shared_ptr<net::HttpClient>& client, std::atomic<bool>& settled) {
  if (settled) return;
  const Status done = store::make_container(account, container, client);
  if (!done) log::warning("output_container_not_made", {{"container", container}, {"error", done.error().detail.text}});
  // Where making it is refused it may be there all the same: writing will tell.
  settled = done || done.error().kind != ErrorKind::try_later;
}

}  // namespace

Result<std::optional<azure::Account>> connected_account(const std::string& connection,
                                                        const azure::Environment& environment,
                                                        std::shared_ptr<net::HttpClient> client) {
  if (const auto text = environment(connection.c_str()); text && !text->empty()) {
    const Result<azure::ConnectionString> parsed = azure::parse_connection_string(*text);
    if (!parsed) return unusable(connection, parsed.error().detail.text);
    Result<azure::Account> account = account_of(*parsed);
    if (!account) return unusable(connection, account.error().detail.text);
    return *std::move(account);
  }
  const std::string uri_setting = connection + "__blobServiceUri";
  const std::string name_setting = connection + "__accountName";
  std::string uri = environment(uri_setting.c_str()).value_or("");
  const std::string name = environment(name_setting.c_str()).value_or("");
  if (uri.empty() && name.empty()) return std::nullopt;
  const std::string& setting = uri.empty() ? name_setting : uri_setting;
  if (uri.empty()) uri = fmt::format("https://{}.blob.core.windows.net", name);
  while (uri.ends_with('/')) uri.pop_back();
  const Result<azure::ResourceUrl> parsed = azure::parse_resource_url(uri + "/container");
  if (!parsed) return unusable(setting, "it names no storage account");
  azure::Account account{parsed->account, parsed->endpoint, "", nullptr};
  account.credential = azure::token_credential(identity_environment(connection, environment), std::move(client));
  return account;
}

OpenStores azure_stores(azure::Account account, std::string output_container, std::shared_ptr<net::HttpClient> client) {
  auto settled = std::make_shared<std::atomic<bool>>(false);
  return [account = std::move(account), output_container = std::move(output_container), client = std::move(client),
          settled](const event::BlobName& blob) -> Result<Stores> {
    if (!blob.account.empty() && blob.account != account.name) {
      return fail(ErrorKind::misuse,
                  fmt::format("the host's blob is of the account {}, the function's connection of {}", blob.account,
                              account.name));
    }
    if (blob.container == output_container) {
      return fail(ErrorKind::misuse, "the blob lies in the output container: results would be taken for input");
    }
    make_output_container(account, output_container, client, *settled);
    Stores stores;
    DROPSCORE_TRY(stores.input, store::open_azure_store(account, blob.container, client));
    DROPSCORE_TRY(stores.output, store::open_azure_store(account, output_container, client));
    return stores;
  };
}

}  // namespace dropscore::function
