// The story of one file: found in a store, scored, its result beside it, once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "job/file_scorer.h"
#include "store/store.h"

namespace dropscore::job {

struct Containers {
  store::BlobStore* input = nullptr;
  store::BlobStore* output = nullptr;
};

enum class Outcome : std::uint8_t {
  scored,          ///< a success document was published
  error_document,  ///< the file cannot be scored; a document says what to mend
  already_done,    ///< a result for this (blob, ETag, model version) was there, or came meanwhile from another worker
  gone,            ///< the file is no longer there; nothing was published
};
std::string_view name(Outcome outcome);

struct ScoreReport {
  Outcome outcome = Outcome::scored;
  std::string etag;           ///< of the version that was read
  std::string model_version;  ///< that made the result
  ScoreCounts counts;
  std::vector<std::string> notes;
};

/// The result's name for an input's name.
std::string result_name(std::string_view blob);

/// Scores the present version of one blob and publishes its result, whole or not at all, and only where the result
/// beside it is still the one that was there at the start: of two workers one publishes. Redelivery is harmless: the
/// same version under the same model gives the same bytes. `named_etag` is the version that an event named: if the blob
/// is gone, and no result of it is there, an error document says so. Thread-safe. Errors: `try_later` (I/O; nothing
/// was published), `changed` (the blob, or its result, changed meanwhile: take it again).
Result<ScoreReport> score_blob(const Containers& stores, std::string_view blob, const FileScorer& scorer,
                               const ScoreOptions& options, const std::optional<std::string>& named_etag = {});

/// Publishes an error document for a blob that failed too often, unless a result of this version is there. Errors:
/// `try_later`, `changed`.
Status set_aside(const Containers& stores, std::string_view blob, const std::optional<std::string>& named_etag,
                 std::string_view why, const FileScorer& scorer);

/// What a sweep asks: is there no result for this version of the blob? With `model_version`, a result of another model
/// does not count (--rescore). Errors: `try_later`.
Result<bool> is_pending(const Containers& stores, const store::BlobInfo& blob,
                        const std::optional<std::string>& model_version);

/// The same for a whole container, by listing both: calls `visit` for each input without a result until it returns
/// false. 16 bytes are held for each result. Errors: `try_later`.
Status find_pending(const Containers& stores, const std::optional<std::string>& model_version,
                    const std::function<bool(const store::BlobInfo&)>& visit);

}  // namespace dropscore::job
