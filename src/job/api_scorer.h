// Scores files through POST /predict of an API elsewhere: ours, which takes and answers a file of any length as a
// stream, or the original, which takes {"csv_data": "<the file>"}.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "job/file_scorer.h"
#include "net/http_client.h"

namespace dropscore::job {

struct ApiOptions {
  std::string url;  ///< http://host:port, with or without a path; /predict comes after it
  std::string
      key;  ///< sent as X-API-Key; of several, as an API of ours takes them, the first; empty: none. Never logged
  std::chrono::milliseconds timeout{120'000};  ///< of one call with its body and its answer
  int tries = 3;
  Status validate() const;
};

/// Sends nothing yet. A file goes as text/csv; once the API has refused that with 415, as JSON. The API's refusal of a
/// file (400, 413, 422) is one of the file; anything else it answers is tried again. Errors: `misuse`.
Result<std::shared_ptr<const FileScorer>> api_scorer(const ApiOptions& options,
                                                     std::shared_ptr<net::HttpClient> client);

}  // namespace dropscore::job
