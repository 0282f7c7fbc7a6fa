// The parts that scoring a CSV is made of, for ScoreStream, which does all on one thread, and ScorePipeline, which
// reads and adds up in order and scores what lies between on many. Private to the room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "features/matrix.h"
#include "features/segment_encoder.h"
#include "job/score_stream.h"
#include "model/model.h"
#include "result/answer.h"
#include "table/csv_reader.h"
#include "table/segment.h"

namespace dropscore::job {

/// What is the same for every piece of a file: known once its header is. Immutable, thread-safe.
struct FileContext {
  /// Errors, kind `reject`: the model's columns are not in the header.
  static Result<std::shared_ptr<const FileContext>> make(std::shared_ptr<const model::Model> model,
                                                         const ScoreOptions& options, const table::CsvReader& reader);

  std::shared_ptr<const model::Model> model;
  ScoreOptions options;
  table::CsvOptions csv_options;
  bool exact = false;
  std::vector<std::string> header;
  table::Dialect dialect;
  result::CsvAnswer csv;
  std::string front;  ///< the answer's text before the rows
};

/// The answer for rows that follow each other.
struct ScoredPiece {
  std::string text;
  table::RowErrors errors;
  result::Summary summary;
};

/// Not thread-safe: each thread has its own. Buffers are reused; nothing is allocated for a row.
class PieceScorer {
 public:
  explicit PieceScorer(std::shared_ptr<const FileContext> context);

  /// Replaces what is in `out`.
  void score(const table::Segment& segment, ScoredPiece& out);
  /// The same for rows.read.
  void score_read(features::EncodedRows& rows, ScoredPiece& out);

 private:
  template <class T>
  void score_segment(features::Matrix<T>& matrix, ScoredPiece& out);
  template <class T>
  void score_rows(features::MatrixView<T> matrix, const features::EncodedRows& rows, ScoredPiece& out);
  void write_json(const features::EncodedRows& rows, std::string& out) const;
  void write_csv(const features::EncodedRows& rows, std::string& out) const;

  std::shared_ptr<const FileContext> context_;
  features::SegmentEncoder encoder_;
  features::EncodedRows rows_;
  features::Matrix<float> singles_;
  features::Matrix<double> doubles_;
  std::vector<model::Score> scores_;
};

/// The reader, and the context once there is one. Not thread-safe.
class ScoreInput {
 public:
  using Step = table::CsvReader::Step;

  ScoreInput(std::shared_ptr<const model::Model> model, const ScoreOptions& options);

  /// As CsvReader::next; before the first rows, context() is there. Errors also as FileContext::make.
  Result<Step> next(table::Batch& read, table::Segment& segment);
  table::CsvReader& reader() { return reader_; }
  const table::CsvReader& reader() const { return reader_; }
  const std::shared_ptr<const FileContext>& context() const { return context_; }

 private:
  std::shared_ptr<const model::Model> model_;
  ScoreOptions options_;
  table::CsvReader reader_;
  std::shared_ptr<const FileContext> context_;
};

/// Adds up pieces in the file's order. Not thread-safe.
class ScoreTotals {
 public:
  explicit ScoreTotals(const ScoreOptions& options) : errors_(options.max_errors) {}

  /// Counts the piece and appends its text to `out`; may exchange the two.
  void add(const FileContext& context, ScoredPiece& piece, std::string& out);
  /// The answer's end. Errors, kind `reject`: no row could be scored.
  Status end(const FileContext* context, std::string& out);

  bool scored_any() const { return summary_.total_records > 0; }
  const table::RowErrors& errors() const { return errors_; }
  ScoreCounts counts(std::uint64_t bytes_read) const;
  std::string rejections_json() const;

 private:
  table::RowErrors errors_;
  result::Summary summary_;
  bool begun_ = false;
};

}  // namespace dropscore::job
