#include "store/azure_test_service.h"

#include <algorithm>
#include <random>

#include "base/hash.h"

namespace dropscore::store {
namespace {

constexpr std::string_view container_path = "/acct/box";

}  // namespace

AzureTestService::AzureTestService() : server_([this](const Request& request) { return answer(request); }) {}

azure::Account AzureTestService::account() const {
  azure::Account account;
  account.name = "acct";
  account.blob_endpoint = "http://127.0.0.1:" + std::to_string(server_.port()) + "/acct";
  account.credential = azure::shared_access_signature("sv=2021-12-02&sig=" + std::string(secret));
  return account;
}

AzureStoreOptions AzureTestService::options(std::size_t block_bytes) {
  AzureStoreOptions options;
  options.retry.first_delay = std::chrono::milliseconds(1);
  options.retry.max_delay = std::chrono::milliseconds(5);
  options.retry.budget = std::chrono::milliseconds(20'000);
  options.block_bytes = block_bytes;
  return options;
}

std::unique_ptr<BlobStore> AzureTestService::open(const AzureStoreOptions& options) const {
  return open_azure_store(account(), "box", std::make_shared<net::HttpClient>(), options).value();
}

AzureTestService::Blob& AzureTestService::put(const std::string& name, std::string bytes) {
  return blobs[name] = Blob{std::move(bytes), "0x" + std::to_string(++versions_), {}, {}};
}

AzureTestService::Answer AzureTestService::refusal(int status, std::string code) {
  Answer answer;
  answer.status = status;
  answer.body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>No.</Message></Error>";
  answer.headers = {{"x-ms-error-code", std::move(code)}, {"Content-Type", "application/xml"}};
  return answer;
}

std::size_t AzureTestService::count(std::string_view method, const std::string& comp) const {
  return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), [&](const Request& request) {
    return request.method == method && request.parameter("comp") == comp;
  }));
}

AzureTestService::Answer AzureTestService::answer(const Request& request) {
  requests.push_back(request);
  if (instead) {
    if (std::optional<Answer> other = instead(request)) return *std::move(other);
  }
  Answer answer = serve(request);
  if (spoil) spoil(request, answer);
  return answer;
}

AzureTestService::Answer AzureTestService::serve(const Request& request) {
  if (request.path.size() <= container_path.size() || !request.path.starts_with(container_path)) {
    return refusal(400, "UnexpectedByTheTest");
  }
  const std::string name = request.path.substr(container_path.size() + 1);
  const auto found = blobs.find(name);
  const bool exists = found != blobs.end();
  if (request.method == "PUT" && request.parameter("comp") == "block") {
    uncommitted[name][request.parameter("blockid")] = request.body;
    return Answer{.status = 201};
  }
  if (request.header("if-none-match") == "*" && exists) return refusal(409, "BlobAlreadyExists");
  // As the emulator: also where the blob is missing.
  if (request.has("if-match") && (!exists || request.header("if-match") != "\"" + found->second.etag + "\"")) {
    return refusal(412, "ConditionNotMet");
  }
  if (request.method != "PUT" && !exists) return refusal(404, "BlobNotFound");
  if (request.method == "GET" || request.method == "HEAD") return get(request, found->second);
  if (request.method == "DELETE") {
    blobs.erase(found);
    return Answer{.status = 202};
  }
  if (request.parameter("comp") == "blocklist") return put_block_list(name, request);
  return publish(name, request, request.body, {});
}

AzureTestService::Answer AzureTestService::get(const Request& request, const Blob& blob) const {
  Answer answer;
  answer.headers = {{"ETag", "\"" + blob.etag + "\""}};
  answer.headers.insert(answer.headers.end(), blob.headers.begin(), blob.headers.end());
  if (request.has("x-ms-range")) {
    const std::size_t first = std::stoul(request.header("x-ms-range").substr(6));
    const std::string size = std::to_string(blob.bytes.size());
    if (first >= blob.bytes.size()) return refusal(416, "InvalidRange");
    answer.status = 206;
    answer.headers.emplace_back(
        "Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(blob.bytes.size() - 1) + "/" + size);
    answer.body = blob.bytes.substr(first);
  } else {
    answer.body = blob.bytes;
  }
  return answer;
}

AzureTestService::Answer AzureTestService::publish(const std::string& name, const Request& request, std::string bytes,
                                                   std::map<std::string, std::string> blocks) {
  Blob& blob = put(name, std::move(bytes));
  blob.blocks = std::move(blocks);
  for (const auto& [header, value] : request.headers) {
    if (header.starts_with("x-ms-meta-")) blob.headers[header] = value;
  }
  blob.headers["Content-MD5"] = request.header("x-ms-blob-content-md5");
  uncommitted.erase(name);
  return Answer{.status = 201, .headers = {{"ETag", "\"" + blob.etag + "\""}}};
}

AzureTestService::Answer AzureTestService::put_block_list(const std::string& name, const Request& request) {
  constexpr std::string_view tag = "<Latest>";
  std::string bytes;
  std::map<std::string, std::string> blocks;
  const auto blob = blobs.find(name);
  const std::map<std::string, std::string> present =
      blob == blobs.end() ? std::map<std::string, std::string>() : blob->second.blocks;
  for (std::size_t at = request.body.find(tag); at != std::string::npos; at = request.body.find(tag, at)) {
    at += tag.size();
    const std::string id = request.body.substr(at, request.body.find('<', at) - at);
    const auto& pending = uncommitted[name];
    const auto found = pending.find(id);
    const auto committed = present.find(id);
    if (found == pending.end() && committed == present.end()) return refusal(400, "InvalidBlockList");
    blocks[id] = found != pending.end() ? found->second : committed->second;
    bytes += blocks[id];
  }
  return publish(name, request, std::move(bytes), std::move(blocks));
}

Result<std::string> drain(ByteSource& source, std::size_t chunk_bytes) {
  std::string bytes;
  std::string chunk(chunk_bytes, '\0');
  for (;;) {
    DROPSCORE_TRY(const std::size_t got, source.read(chunk));
    if (got == 0) return bytes;
    bytes.append(chunk, 0, got);
  }
}

std::string numbered_bytes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() & 0xFFU);
  return bytes;
}

}  // namespace dropscore::store
