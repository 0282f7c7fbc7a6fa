// For tests: a container "box" of the account "acct" in memory, as much of the Blob service as the Azure store asks
// for, with hooks to spoil its answers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/azure_store.h"
#include "tests/support/stub_server.h"

namespace dropscore::store {

/// Hooks run in the server's thread, one at a time; the members are for them, and for the test while nothing is asked.
class AzureTestService {
 public:
  using Request = testing::StubRequest;
  using Answer = testing::StubAnswer;

  static constexpr std::string_view secret = "aVerySecretSignature";

  struct Blob {
    std::string bytes;
    std::string etag;
    std::map<std::string, std::string> headers;  ///< Content-MD5 and x-ms-meta-*
    std::map<std::string, std::string> blocks;   ///< by id
  };

  AzureTestService();

  azure::Account account() const;
  /// With a policy that waits for milliseconds.
  static AzureStoreOptions options(std::size_t block_bytes = 1000);
  std::unique_ptr<BlobStore> open(const AzureStoreOptions& options = AzureTestService::options()) const;

  /// As somebody else would.
  Blob& put(const std::string& name, std::string bytes);
  static Answer refusal(int status, std::string code);
  std::size_t count(std::string_view method, const std::string& comp = "") const;
  std::size_t connections() const { return server_.connections(); }

  std::map<std::string, Blob> blobs;
  std::map<std::string, std::map<std::string, std::string>> uncommitted;  ///< blocks by blob and id
  std::vector<Request> requests;
  std::function<std::optional<Answer>(const Request&)> instead;  ///< an answer in place of the service's
  std::function<void(const Request&, Answer&)> spoil;            ///< after the service has done what was asked

 private:
  Answer answer(const Request& request);
  Answer serve(const Request& request);
  Answer get(const Request& request, const Blob& blob) const;
  Answer publish(const std::string& name, const Request& request, std::string bytes,
                 std::map<std::string, std::string> blocks);
  Answer put_block_list(const std::string& name, const Request& request);

  int versions_ = 0;
  testing::StubServer server_;  // last: it calls the others
};

/// Reads to the end, `chunk_bytes` at a time.
Result<std::string> drain(ByteSource& source, std::size_t chunk_bytes = 1000);

/// Bytes that tell by themselves where they belong.
std::string numbered_bytes(std::size_t count, std::uint64_t seed = 1);

}  // namespace dropscore::store
