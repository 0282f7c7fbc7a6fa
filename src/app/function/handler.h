// An invocation answered: the blob that it names is scored, and the result lies in the output container, or goes back
// to the host as the output binding's content. What is promised is in docs/azure-function.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/function/envelope.h"
#include "app/http/endpoint.h"
#include "base/limits.h"
#include "base/result.h"
#include "event/blob_url.h"
#include "job/score_job.h"

namespace dropscore::function {

/// Where an invocation's blob lies and where its result goes.
struct Stores {
  std::shared_ptr<store::BlobStore> input;
  std::shared_ptr<store::BlobStore> output;
};

/// Opens the stores for a blob that the host has named. Errors: `misuse`, `try_later`.
using OpenStores = std::function<Result<Stores>(const event::BlobName& blob)>;

enum class Output : std::uint8_t {
  store,    ///< blobs are read and results written by ourselves; the payload is not looked at
  binding,  ///< the payload is scored, and the result handed to the host, but for long ones where there is a store
};

struct HandlerOptions {
  std::string function = "BlobTriggerConversionPrediction";  ///< its folder's name, which is its path
  std::string input_binding = "inputBlob";                   ///< as function.json calls them
  std::string output_binding = "outputBlob";
  std::string input_container = "input-data";  ///< where an invocation tells no more than the blob's name
  Output output = Output::store;
  std::size_t max_payload_bytes = 4 * limits::mib;  ///< of a blob that is scored from the payload
  job::ScoreOptions score;

  Status validate() const;
};

/// Immutable, thread-safe.
class Handler {
 public:
  /// `stores` may be empty with Output::binding. REQUIRES: options.validate() is ok.
  Handler(HandlerOptions options, job::FileScorerSource scorer, OpenStores stores);

  /// Answers one invocation; blocks until it is scored. `id` is the host's own, for the log.
  http::EndpointReply invoke(std::string_view body, const std::string& id) const;

  /// The longest string of an invocation's JSON that invoke() has a use for.
  std::size_t max_string_bytes() const;

  const HandlerOptions& options() const { return options_; }

 private:
  struct Done;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  Result<Done> score(Invocation invocation) const;
  Result<Done> score_in_stores(const event::BlobName& blob) const;
  Result<Done> score_payload(Invocation invocation) const;
  http::EndpointReply reply_to(const Done& done, const std::string& blob, const std::string& id,
                               Milliseconds took) const;
  Result<job::ScoreReport> score_as_it_is_now(const job::Containers& stores, std::string_view blob) const;

  HandlerOptions options_;
  job::FileScorerSource scorer_;
  OpenStores stores_;
};

/// GET / (the host's probe) and POST /FUNCTION.
std::vector<http::Endpoint> function_endpoints(const std::shared_ptr<const Handler>& handler);

}  // namespace dropscore::function
