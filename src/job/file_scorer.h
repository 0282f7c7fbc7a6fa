// How one file is scored, by whatever scores it: bytes in, the answer's text out, piece by piece. A model in this
// process, or an API elsewhere (job/api_scorer.h).
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "job/score_pipeline.h"
#include "job/score_stream.h"
#include "job/scorer.h"

namespace dropscore::job {

struct ScoredFile {
  std::string model_version;  ///< that made the answer
  ScoreCounts counts;
  std::vector<std::string> notes;  ///< sentences about how the file was read, for a log
};

/// A file that was not scored, and why.
struct FileRefusal {
  Error error;                         ///< `reject` and `too_large` are about the file, others are not
  result::ErrorMembers error_members;  ///< which rows are to blame
  ScoreCounts counts = {};
};

/// Thread-safe.
class FileScorer {
 public:
  FileScorer() = default;
  FileScorer(const FileScorer&) = delete;
  FileScorer& operator=(const FileScorer&) = delete;
  virtual ~FileScorer() = default;

  /// The version that an answer made now would name. Errors: `try_later`.
  virtual Result<std::string> model_version() const = 0;

  /// Reads `input` to its end and writes the answer of POST /predict. After a refusal what was written is to be thrown
  /// away.
  virtual tl::expected<ScoredFile, FileRefusal> score(ByteSource& input, const WriteText& write,
                                                      const ScoreOptions& options) const = 0;

  /// Times that a file is read anew and scored again at once, with waits between, after `try_later`. A model in this
  /// process fails only where a store does, and a store has tries of its own.
  virtual int tries() const { return 1; }
  /// Of the client that is tried with; see net::Retry.
  virtual std::stop_token hurried() const { return {}; }
};

/// Who scores the next file. Asked once for each, from any thread.
using FileScorerSource = std::function<std::shared_ptr<const FileScorer>()>;

/// The model of `scorer`, in this process.
std::shared_ptr<const FileScorer> file_scorer(const Scorer& scorer);

}  // namespace dropscore::job
