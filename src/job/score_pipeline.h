// Scores a file from a source to a sink on several threads. Reading and finding out where records begin is one thread's
// work at a time, and quick; a stretch of whole records is then scored by the thread that took it, while others read,
// score or write; texts are written in the file's order, so that the bytes do not depend on the number of threads.
//
// A thread that has scored while an earlier piece is not ready yet leaves its text in the ring and takes the next
// piece: nobody waits unless the ring is full, which is how a slow writer holds the reading back. Memory: as many
// pieces as the ring has places, some 1 MiB each. The caller's thread is one of the threads; a small file never starts
// others. docs/decisions/0014-batch-pipeline.md
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "job/score_stream.h"

namespace dropscore::job {

/// Takes a piece of the answer. An error ends the scoring and is passed on. Called by one thread at a time, not always
/// the same.
using WriteText = std::function<Status(std::string_view)>;

/// One file's scoring. Not thread-safe itself.
class ScorePipeline {
 public:
  /// Called after pieces were written, as WriteText is.
  using Progress = std::function<void(const ScoreCounts&)>;

  /// REQUIRES: options.validate() is ok.
  ScorePipeline(std::shared_ptr<const model::Model> model, const ScoreOptions& options);
  ScorePipeline(const ScorePipeline&) = delete;
  ScorePipeline& operator=(const ScorePipeline&) = delete;
  ~ScorePipeline();

  /// Reads `source` to its end and writes the answer; nothing is written before a row was scored, or 1 MiB is held
  /// back. Once. After an error what was written is to be thrown away. Errors: as ScoreStream::next, of the source and
  /// of the sink.
  Status run(ByteSource& source, const WriteText& write, const Progress& progress = {});

  // What is known after run(), also where it failed.
  ScoreCounts counts() const;
  std::string rejections_json() const;
  result::ErrorMembers error_members() const;
  std::vector<std::string> notes() const;

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

}  // namespace dropscore::job
