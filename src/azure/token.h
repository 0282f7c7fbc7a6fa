// Tokens of Microsoft Entra for Storage: from a client secret, a federated token (workload identity), the identity
// endpoint of Container Apps, App Service and Functions, or a virtual machine's IMDS. Kept until shortly before they
// end; one thread at a time asks for a new one.
#pragma once

#include <memory>

#include "azure/account.h"
#include "azure/credential.h"
#include "base/result.h"
#include "net/http_client.h"

namespace dropscore::azure {

/// The first source that the environment describes; IMDS where it describes none. Sends nothing until the first
/// authorize(). Errors of authorize(): `try_later`, saying which source was asked and what it answered.
std::unique_ptr<Credential> token_credential(const Environment& environment, std::shared_ptr<net::HttpClient> client);

}  // namespace dropscore::azure
