// What proves who asks: an account's key, a shared access signature, or a token of Microsoft Entra.
// Wire facts: Microsoft's "Authorize with Shared Key", "Create an account SAS", and the token endpoints of App Service,
// IMDS and workload identity.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "net/http_client.h"

namespace dropscore::azure {

using Query = std::vector<std::pair<std::string, std::string>>;  ///< names and values, decoded

/// One request as it is about to be sent.
struct Draft {
  std::string method;
  std::string path;  ///< percent-encoded, as in the URL: "/container/blob", an emulator's with the account before it
  Query query;
  std::vector<net::Header> headers;
  std::size_t body_bytes = 0;
};

/// Thread-safe. Shows none of itself in a log or an error.
class Credential {
 public:
  Credential() = default;
  Credential(const Credential&) = delete;
  Credential& operator=(const Credential&) = delete;
  virtual ~Credential() = default;

  /// Adds what proves it, header or query. For each try anew. Errors: `try_later` (no token to be had now), `misuse`.
  virtual Status authorize(Draft& draft, const Deadline& deadline) = 0;
  /// The service said 401: true where another try may do better (a token is thrown away).
  virtual bool refused() { return false; }
  /// "shared key", "shared access signature", "managed identity", ...: for a log line at start.
  virtual std::string_view kind() const = 0;
};

/// `key_base64` is the account's. Errors: `misuse` (no base64).
Result<std::unique_ptr<Credential>> shared_key(std::string account, std::string_view key_base64);
/// `sas` is a query without '?'.
std::unique_ptr<Credential> shared_access_signature(std::string_view sas);

/// The text that Shared Key signs; for tests against published vectors.
std::string string_to_sign(std::string_view account, const Draft& draft);
/// base64(HMAC-SHA256(base64-decoded key, text)). Errors: `misuse`.
Result<std::string> sign(std::string_view key_base64, std::string_view text);

}  // namespace dropscore::azure
