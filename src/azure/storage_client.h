// One service (Blob or Queue) of a storage account over REST: requests are signed, sent, and sent again as the policy
// says. Answers come back whatever their status; what a status means is for the store and the queue to know.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/credential.h"
#include "base/result.h"
#include "net/http_client.h"
#include "net/retry.h"

namespace dropscore::azure {

struct StorageRequest {
  std::string method;
  std::string path;  ///< percent-encoded, from the endpoint on: "/container/dir/a%20b.csv"
  Query query;
  std::vector<net::Header> headers;  ///< without authorization, x-ms-version, x-ms-date, x-ms-client-request-id
  std::string_view body;
  Deadline deadline = Deadline::never();
};

/// An answer with its body read. Any status but the transient ones, which were tried again.
struct StorageReply {
  int status = 0;
  std::vector<net::Header> headers;
  std::string body;
  std::string error_code;  ///< x-ms-error-code, or the body's <Code>; empty on success
  int tries = 1;           ///< over 1, an earlier try may have taken effect though its answer was lost
  std::string request_id;  ///< the service's x-ms-request-id

  std::optional<std::string_view> header(std::string_view name) const;
  bool ok() const { return status >= 200 && status < 300; }
};

/// Thread-safe.
class StorageClient {
 public:
  /// REQUIRES: policy.validate() is ok. `endpoint` as in Account, without a '/' at its end. `service` is what metrics
  /// call it, a literal.
  StorageClient(std::string endpoint, std::shared_ptr<Credential> credential, std::shared_ptr<net::HttpClient> client,
                const net::RetryPolicy& policy = {}, std::string_view service = "blob");

  /// Errors: `try_later` once tries or time are used up; the text names operation, path, status, error code and both
  /// request ids.
  Result<StorageReply> call(const StorageRequest& request);

  /// As call(), but a 2xx answer's body is left to be read. A reply that is not 2xx comes back in `refusal`, and the
  /// pointer is null.
  Result<std::unique_ptr<net::Exchange>> open(const StorageRequest& request, StorageReply& refusal);

  const std::string& endpoint() const { return endpoint_; }

 private:
  std::string endpoint_;
  std::shared_ptr<Credential> credential_;
  std::shared_ptr<net::HttpClient> client_;
  net::RetryPolicy policy_;
  std::string_view service_;
};

/// The error for an answer that nobody expected: 401 and 403 say which right is missing (kind `try_later`: roles take
/// minutes to arrive), 404 is `not_found`, 409 and 412 `changed`, others `give_up`.
Error unexpected_reply(std::string_view operation, std::string_view path, const StorageReply& reply);

/// "/container/dir/a%20b.csv" of a container and a blob's name.
std::string blob_path(std::string_view container, std::string_view blob);

/// ETags are kept without quotes and compared so; If-Match wants them quoted.
std::string unquoted_etag(std::string_view etag);
std::string quoted_etag(std::string_view etag);

}  // namespace dropscore::azure
