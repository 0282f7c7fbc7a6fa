// The storage account that a function app's settings name, and the containers of it that an invocation needs.
// Microsoft's "Manage connections in Azure Functions" says what the settings are called; docs/azure-function.md, which
// of them are read.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/function/handler.h"
#include "azure/account.h"
#include "base/result.h"
#include "net/http_client.h"

namespace dropscore::function {

/// What the setting `connection` (say, AzureWebJobsStorage) holds: a connection string; or, as CONNECTION__accountName
/// or CONNECTION__blobServiceUri, an account to which an identity has access (CONNECTION__clientId chooses among
/// several). Empty where none of them is set. Sends nothing. Errors: `misuse`, naming the setting and none of its
/// values.
Result<std::optional<azure::Account>> connected_account(const std::string& connection,
                                                        const azure::Environment& environment,
                                                        std::shared_ptr<net::HttpClient> client);

/// Opens the blob's container and `output_container`, which is made where it is missing, once. Thread-safe.
/// Errors of opening: `misuse`, where the blob is of another account, or in the output container itself.
OpenStores azure_stores(azure::Account account, std::string output_container, std::shared_ptr<net::HttpClient> client);

}  // namespace dropscore::function
