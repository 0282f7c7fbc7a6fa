#include "store/azure_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "store/azure_blob.h"
#include "store/azure_list.h"
#include "store/azure_source.h"
#include "store/azure_writer.h"

namespace dropscore::store {
namespace {

constexpr std::size_t max_first_block_bytes = 256 * limits::mib;
constexpr std::size_t max_parallel_blocks = 16;

/// 3 to 63 lower-case letters, digits and single '-' between them; or "$root", "$web", ...
Status validate_container_name(std::string_view name) {
  const std::string_view plain = name.starts_with('$') ? name.substr(1) : name;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool valid = name.size() >= 3 && name.size() <= 63 && alphanumeric(plain.front()) &&
                     alphanumeric(plain.back()) && plain.find("--") == std::string_view::npos &&
                     std::all_of(plain.begin(), plain.end(), [&](char c) { return c == '-' || alphanumeric(c); });
  if (valid) return {};
  return fail(
      ErrorKind::misuse,
      "a container's name is 3 to 63 lower-case letters, digits and single '-', which neither begin nor end it");
}

class AzureStore : public BlobStore {
 public:
  explicit AzureStore(std::shared_ptr<AzureContainer> container) : container_(std::move(container)) {}

  std::string container() const override { return container_->name; }

  Status list(const std::function<bool(const BlobInfo&)>& visit) override {
    return list_container(*container_, false, passed_over_,
                          [&](const BlobProperties& blob) { return visit(blob.info); });
  }

  Status list_with_metadata(const std::function<bool(const BlobProperties&)>& visit) override {
    return list_container(*container_, true, passed_over_, visit);
  }

  Result<BlobProperties> properties(std::string_view name) override {
    DROPSCORE_CHECK(validate_name(name));
    DROPSCORE_TRY(BlobHead head, head_blob(*container_, name));
    return std::move(head.properties);
  }

  Result<std::unique_ptr<ByteSource>> open(std::string_view name, const std::optional<std::string>& if_match,
                                           std::uint64_t offset) override {
    DROPSCORE_CHECK(validate_name(name));
    return open_azure_source(container_, name, if_match, offset);
  }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name, const WriteCondition& condition) override {
    DROPSCORE_CHECK(validate_name(name));
    return make_azure_writer(container_, name, condition);
  }

  Status remove(std::string_view name, const std::optional<std::string>& if_match) override {
    DROPSCORE_CHECK(validate_name(name));
    if (if_match && !is_etag(*if_match)) return has_changed();
    azure::StorageRequest request;
    request.method = "DELETE";
    request.path = container_->path_of(name);
    request.headers = {{"x-ms-delete-snapshots", "include"}};
    if (if_match) request.headers.push_back({"If-Match", azure::quoted_etag(*if_match)});
    DROPSCORE_TRY(const azure::StorageReply reply, container_->client.call(request));
    if (reply.ok()) return {};
    Error error = missing_or_changed(*container_, name, blob_error("Delete Blob", request.path, reply));
    // Of an earlier try only the answer was lost.
    if (error.kind == ErrorKind::not_found && reply.tries > 1) return {};
    return tl::unexpected<Error>(std::move(error));
  }

 private:
  std::shared_ptr<AzureContainer> container_;
  PassedOver passed_over_;
};

/// True where the container answers: who may not make one may still use it.
bool is_there(azure::StorageClient& client, const std::string& path) {
  azure::StorageRequest request;
  request.method = "GET";
  request.path = path;
  request.query = {{"restype", "container"}, {"comp", "list"}, {"maxresults", "1"}};
  const Result<azure::StorageReply> reply = client.call(request);
  return reply && reply->ok();
}

}  // namespace

Status AzureStoreOptions::validate() const {
  if (block_bytes < 1 || block_bytes > max_first_block_bytes) {
    return fail(ErrorKind::misuse, fmt::format("a block must be of 1 to {} bytes", max_first_block_bytes));
  }
  if (parallel_blocks < 1 || parallel_blocks > max_parallel_blocks) {
    return fail(ErrorKind::misuse, fmt::format("1 to {} blocks may be on their way", max_parallel_blocks));
  }
  return retry.validate();
}

Result<std::unique_ptr<BlobStore>> open_azure_store(const azure::Account& account, std::string container,
                                                    std::shared_ptr<net::HttpClient> client,
                                                    const AzureStoreOptions& options) {
  DROPSCORE_CHECK(options.validate());
  DROPSCORE_CHECK(validate_container_name(container));
  azure::StorageClient service(account.blob_endpoint, account.credential, std::move(client), options.retry);
  return std::make_unique<AzureStore>(
      std::make_shared<AzureContainer>(AzureContainer{std::move(service), std::move(container), options}));
}

Status make_container(const azure::Account& account, const std::string& container,
                      std::shared_ptr<net::HttpClient> client, const net::RetryPolicy& retry) {
  DROPSCORE_CHECK(retry.validate());
  DROPSCORE_CHECK(validate_container_name(container));
  azure::StorageClient service(account.blob_endpoint, account.credential, std::move(client), retry);
  azure::StorageRequest request;
  request.method = "PUT";
  request.path = "/" + container;
  request.query = {{"restype", "container"}};
  DROPSCORE_TRY(const azure::StorageReply reply, service.call(request));
  if (reply.ok() || reply.error_code == "ContainerAlreadyExists") return {};
  if (reply.status == 403 && is_there(service, request.path)) return {};
  Error error = azure::unexpected_reply("Create Container", request.path, reply);
  // A container of the name that is being deleted takes half a minute to go.
  error.kind = reply.status == 409 ? ErrorKind::try_later : ErrorKind::misuse;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace dropscore::store
