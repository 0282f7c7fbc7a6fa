// Bytes of a CSV in, the answer's text out: the scoring of one file as a machine that does no I/O, so that a command, a
// blob and an HTTP body are scored by the same code. Memory does not grow with the file.
//
//   for (;;) {
//     DROPSCORE_TRY(const ScoreStream::Step step, stream.next(out));
//     if (step == ScoreStream::Step::end) break;
//     if (step == ScoreStream::Step::need_bytes) { fill stream.room(); stream.commit(n) or, at the end,
//     stream.finish(); } write out somewhere; out.clear();
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "result/answer.h"
#include "table/row_error.h"

namespace dropscore::model {
class Model;
}

namespace dropscore::job {

enum class Format : std::uint8_t { json, csv };
enum class PrecisionChoice : std::uint8_t { automatic, double_precision };

struct ScoreOptions {
  Format format = Format::json;
  PrecisionChoice precision = PrecisionChoice::automatic;
  std::uint64_t max_errors = limits::max_errors;
  std::size_t max_row_bytes = limits::max_row_bytes;
  unsigned threads = 0;  ///< of a ScorePipeline; 0 for as many as the machine has cores
  Status validate() const;
};

/// What `choice` means for a model.
bool wants_double(const model::Model& model, PrecisionChoice choice);

/// What a job tells its caller in numbers.
struct ScoreCounts {
  std::uint64_t scored = 0;
  std::uint64_t rejected = 0;
  std::uint64_t predicted_conversions = 0;
  std::uint64_t bytes_read = 0;
  table::RowFaultCounts
      rejected_by{};  ///< all 0 where the scores came from an API, which tells no more than `rejected`

  ScoreCounts& operator+=(const ScoreCounts& more);
};

/// Not thread-safe; movable. Keeps the model alive.
class ScoreStream {
 public:
  enum class Step : std::uint8_t { output, need_bytes, end };

  /// REQUIRES: options.validate() is ok.
  ScoreStream(std::shared_ptr<const model::Model> model, const ScoreOptions& options);
  ScoreStream(ScoreStream&&) noexcept;
  ScoreStream& operator=(ScoreStream&&) noexcept;
  ~ScoreStream();

  std::span<char> room();
  void commit(std::size_t count);
  void finish();

  /// Appends to `out`. Errors, kind `reject`: the file cannot be scored at all, or no row of it could; what was
  /// appended before then is to be thrown away. `rejections()` may say more.
  Result<Step> next(std::string& out);

  /// True once a row was scored: from then on the answer cannot become a refusal for want of a good row.
  bool scored_any() const;
  ScoreCounts counts() const;
  /// The rows refused so far as a JSON array.
  std::string rejections_json() const;
  /// The same for an error document.
  result::ErrorMembers error_members() const;
  /// Sentences about how the file was read, for a log.
  std::vector<std::string> notes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dropscore::job
