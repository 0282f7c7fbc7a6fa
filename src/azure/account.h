// Which storage account, where its services answer, and what may be done there: connection strings, container URLs and
// the credentials that the environment offers. docs/azure.md lists the order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "azure/credential.h"
#include "base/result.h"
#include "net/http_client.h"

namespace dropscore::azure {

/// "Key=Value;..." as Azure prints it. UseDevelopmentStorage=true is written out in full. Values are credentials: never
/// log one.
struct ConnectionString {
  std::string account;
  std::string key;             ///< base64; empty where there is a SAS
  std::string sas;             ///< without '?'; empty where there is a key
  std::string blob_endpoint;   ///< no '/' at the end
  std::string queue_endpoint;  ///< no '/' at the end
};

/// Errors: `misuse`, without any of the text's values.
Result<ConnectionString> parse_connection_string(std::string_view text);

/// https://ACCOUNT.blob.core.windows.net/CONTAINER (any cloud's suffix), http://HOST:PORT/ACCOUNT/CONTAINER, or the
/// same with a SAS behind '?'. For a queue: ".queue." and the queue's name.
struct ResourceUrl {
  std::string endpoint;  ///< scheme, host, and for the path style the account; no '/' at the end
  std::string account;
  std::string name;  ///< of the container or queue
  std::string sas;   ///< without '?'; empty where there is none
};
Result<ResourceUrl> parse_resource_url(std::string_view url);
/// A container's URL, and what is named in it: ".../models/current".
struct PathUrl {
  ResourceUrl container;
  std::string path;  ///< decoded, without '/' at either end; may be empty
};
/// Of a host that does not say ".blob." the path begins with the account. Errors: `misuse`.
Result<PathUrl> parse_path_url(std::string_view url);
/// True for http:// and https://.
bool is_resource_url(std::string_view uri);

/// Reads one environment variable; empty where it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

/// An account as a service is to be spoken to.
struct Account {
  std::string name;
  std::string blob_endpoint;
  std::string queue_endpoint;  ///< empty where it cannot be told (an emulator's blob URL alone)
  std::shared_ptr<Credential> credential;
};

/// The connection string of the environment: DROPSCORE_CONNECTION_STRING, AZURE_STORAGE_CONNECTION_STRING,
/// AzureWebJobsStorage. Empty where none is set. Errors: `misuse`, naming the variable.
Result<std::optional<ConnectionString>> connection_string(const Environment& environment);

/// The account that a container's or queue's URL is of, with the first credential that is there: a SAS in the URL; the
/// environment's connection string, where it is of the same account; AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN; then
/// Microsoft Entra's: AZURE_CLIENT_SECRET, workload identity, managed identity (IDENTITY_ENDPOINT, then IMDS).
/// Nothing is sent here. Errors: `misuse`.
Result<Account> resolve_account(const ResourceUrl& url, const Environment& environment,
                                std::shared_ptr<net::HttpClient> client);

}  // namespace dropscore::azure
