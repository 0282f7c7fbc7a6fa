// What an adapter needs to answer questions about, and with, a loaded model; adapters know no more of models than this.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "job/score_pipeline.h"
#include "job/score_stream.h"

namespace dropscore::model {
class Model;
}

namespace dropscore::job {

/// A request that was not scored: why, and which rows are to blame.
struct Refusal {
  Error error;
  bool malformed = false;              ///< the body is no JSON, or none of the three forms (HTTP's 400); otherwise 422
  std::string rejections_json = "[]";  ///< array of {row, column, value, reason}
  ScoreCounts counts = {};
};

/// Immutable, thread-safe, cheap to copy.
class Scorer {
 public:
  explicit Scorer(std::shared_ptr<const model::Model> model) : model_(std::move(model)) {}

  /// {"status":"healthy","model":"SVM","features":16,...}
  std::string health_json() const;
  /// The name that results carry.
  const std::string& model_version() const;

  /// The three JSON bodies of POST /predict: one customer as an object, many as an array, or {"csv_data": "<text>"}.
  /// Appends a whole document to `out`. Records are scored in the precision in which rows of a CSV are.
  /// Errors, kind `reject`: malformed, or no row could be scored; what `out` then holds means nothing.
  tl::expected<ScoreCounts, Refusal> score_json(std::string_view body, const ScoreOptions& options,
                                                std::string& out) const;

  /// Scores CSV as it comes.
  ScoreStream stream(const ScoreOptions& options) const { return {model_, options}; }

  /// Scores a file on several threads.
  ScorePipeline pipeline(const ScoreOptions& options) const { return {model_, options}; }

 private:
  std::shared_ptr<const model::Model> model_;
};

}  // namespace dropscore::job
