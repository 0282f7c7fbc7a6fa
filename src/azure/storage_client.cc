#include "azure/storage_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "azure/reply.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/http_date.h"
#include "telemetry/metrics.h"

namespace dropscore::azure {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr const char* service_version = "2021-12-02";
constexpr std::size_t max_reply_bytes =
    128 * limits::mib;  ///< a page of 5000 blobs with all the metadata they may have
constexpr std::size_t max_error_bytes = 64 * limits::kib;

std::string make_uuid() {
  std::string id = random_id();
  id[12] = '4';
  id[16] = "89ab"[static_cast<unsigned char>(id[16]) % 4];
  for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, 1, '-');
  return id;
}

/// "PUT", "PUT block", "GET list": what an error calls it.
std::string operation_of(const StorageRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (name == "comp") return fmt::format("{} {}", request.method, value);
  }
  return request.method;
}

std::string url_of(std::string_view origin, const Draft& draft) {
  std::string url = fmt::format("{}{}", origin, draft.path);
  char separator = '?';
  for (const auto& [name, value] : draft.query) {
    url += fmt::format("{}{}={}", separator, net::percent_encoded(name), net::percent_encoded(value));
    separator = '&';
  }
  return url;
}

/// One operation: its tries, and what was learnt in the last of them.
class Operation {
 public:
  Operation(const StorageRequest& request, std::string_view endpoint, Credential& credential, net::HttpClient& client,
            const net::RetryPolicy& policy, std::string_view service)
      : request_(request),
        credential_(credential),
        client_(client),
        retry_(policy, request.deadline, client.hurried()),
        service_(service),
        name_(operation_of(request)),
        client_request_id_(make_uuid()) {
    const std::size_t host = endpoint.find("://") + 3;
    const std::size_t path = std::min(endpoint.find('/', host), endpoint.size());
    origin_ = endpoint.substr(0, path);
    path_ = fmt::format("{}{}", endpoint.substr(path), request.path);
  }

  /// With `leave_open`, the exchange of a 2xx answer, its body unread; else null, and `reply` is whole.
  Result<std::unique_ptr<net::Exchange>> run(bool leave_open, StorageReply& reply) {
    for (;;) {
      const Result<bool> answered = attempt(leave_open, reply);
      if (!answered && answered.error().kind != ErrorKind::try_later) return tl::unexpected(answered.error());
      if (answered && *answered) return std::move(exchange_);
      if (answered && reply.status == 401) continue;
      if (!again(answered, reply)) return used_up(answered, reply);
    }
  }

 private:
  /// True where the answer is final. Errors: a try that brought no answer.
  Result<bool> attempt(bool leave_open, StorageReply& reply) {
    reply = {};
    asked_.reset();
    exchange_.reset();
    DROPSCORE_TRY(exchange_, send(leave_open));
    reply.status = exchange_->status();
    reply.headers = exchange_->headers();
    reply.tries = retry_.tries();
    reply.request_id = request_id_of(reply);
    if (reply.ok() && leave_open) return true;

    asked_ = net::retry_after(*exchange_, system_clock::now());
    Result<std::string> body = net::read_body(*exchange_, reply.ok() ? max_reply_bytes : max_error_bytes);
    exchange_.reset();
    if (!body && reply.ok()) return pass_on(std::move(body));
    if (body) reply.body = *std::move(body);
    if (!reply.ok()) reply.error_code = error_code_of(reply);
    if (reply.status == 401 && !std::exchange(was_refused_, true)) return !credential_.refused();
    return !net::is_transient(reply.status);
  }

  Result<std::unique_ptr<net::Exchange>> send(bool leave_open) {
    Draft draft{request_.method, path_, request_.query, request_.headers, request_.body.size()};
    draft.headers.push_back({"x-ms-version", service_version});
    draft.headers.push_back({"x-ms-date", net::http_date(system_clock::now())});
    draft.headers.push_back({"x-ms-client-request-id", client_request_id_});
    if (Status authorized = credential_.authorize(draft, retry_.deadline()); !authorized) {
      no_credential_ = true;
      return tl::unexpected(std::move(authorized).error());
    }
    net::Request wire;
    wire.method = draft.method;
    wire.url = url_of(origin_, draft);
    wire.headers = std::move(draft.headers);
    wire.body = request_.body;
    // A body that is left open may take longer than the tries may: then only the caller's own deadline holds.
    wire.deadline = leave_open ? request_.deadline : retry_.deadline();
    return client_.send(wire);
  }

  bool again(const Result<bool>& answered, const StorageReply& reply) {
    if (no_credential_) return false;  // its source has its own tries
    const std::optional<milliseconds> delay = retry_.next_delay(asked_);
    if (!delay) return false;
    const bool often = retry_.tries() > 1;
    (often ? log::warning : log::debug)(
        "storage_retry",
        {{"operation", name_},
         {"path", path_},
         {"status", reply.status},
         {"error", answered ? std::string_view(reply.error_code) : std::string_view(answered.error().detail.text)},
         {"tries", retry_.tries()},
         {"wait_ms", delay->count()}});
    if (!retry_.wait(*delay)) return false;
    telemetry::add(telemetry::Metric::retries, 1, {service_, name_});
    return true;
  }

  tl::unexpected<Error> used_up(const Result<bool>& answered, const StorageReply& reply) const {
    telemetry::add(telemetry::Metric::retries_exhausted, 1, {service_, name_});
    const std::string why =
        answered ? fmt::format("{} {}", reply.status, reply.error_code) : answered.error().detail.text;
    return fail(
        ErrorKind::try_later, CustomerText{"the storage service cannot be used at the moment"},
        OperatorText{fmt::format("{} {}: {}, after {} tries (request {}, ours {})", name_, path_, why, retry_.tries(),
                                 reply.request_id.empty() ? "unknown" : reply.request_id, client_request_id_)});
  }

  const StorageRequest& request_;
  Credential& credential_;
  net::HttpClient& client_;
  net::Retry retry_;
  std::string_view service_;
  std::string name_;
  std::string client_request_id_;  ///< one for all tries: the service's logs show that they belong together
  std::string origin_;
  std::string path_;
  std::unique_ptr<net::Exchange> exchange_;
  std::optional<milliseconds> asked_;
  bool was_refused_ = false;
  bool no_credential_ = false;
};

}  // namespace

StorageClient::StorageClient(std::string endpoint, std::shared_ptr<Credential> credential,
                             std::shared_ptr<net::HttpClient> client, const net::RetryPolicy& policy,
                             std::string_view service)
    : endpoint_(std::move(endpoint)),
      credential_(std::move(credential)),
      client_(std::move(client)),
      policy_(policy),
      service_(service) {}

Result<StorageReply> StorageClient::call(const StorageRequest& request) {
  StorageReply reply;
  DROPSCORE_CHECK(Operation(request, endpoint_, *credential_, *client_, policy_, service_).run(false, reply));
  return reply;
}

Result<std::unique_ptr<net::Exchange>> StorageClient::open(const StorageRequest& request, StorageReply& refusal) {
  return Operation(request, endpoint_, *credential_, *client_, policy_, service_).run(true, refusal);
}

}  // namespace dropscore::azure
