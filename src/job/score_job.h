// The story of one file: found in a store, scored, its result beside it, once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "job/scorer.h"
#include "store/store.h"

namespace dropscore::job {

struct Containers {
  store::BlobStore* input = nullptr;
  store::BlobStore* output = nullptr;
};

enum class Outcome : std::uint8_t {
  scored,          ///< a success document was published
  error_document,  ///< the file cannot be scored; a document says what to mend
  already_done,    ///< a result for this (blob, ETag, model version) was there
  gone,            ///< the file is no longer there; nothing was published
};
std::string_view name(Outcome outcome);

struct ScoreReport {
  Outcome outcome = Outcome::scored;
  std::string etag;  ///< of the version that was read
  ScoreCounts counts;
  std::vector<std::string> notes;
};

/// The result's name for an input's name.
std::string result_name(std::string_view blob);

/// Scores one blob and publishes its result, whole or not at all. Redelivery is harmless: the same version under the
/// same model gives the same bytes. Thread-safe for different blobs. Errors: `try_later` (I/O; nothing was published),
/// `changed` (the blob changed meanwhile: take it again).
Result<ScoreReport> score_blob(const Containers& stores, std::string_view blob, const Scorer& scorer,
                               const ScoreOptions& options);

/// Publishes an error document for a blob that failed too often. Errors: `try_later`.
Status set_aside(const Containers& stores, std::string_view blob, const std::optional<std::string>& etag,
                 std::string_view why, const Scorer& scorer);

/// What a sweep asks: is there no result for this version of the blob? With `model_version`, a result of another model
/// does not count (--rescore).
Result<bool> is_pending(const Containers& stores, const store::BlobInfo& blob,
                        const std::optional<std::string>& model_version);

}  // namespace dropscore::job
