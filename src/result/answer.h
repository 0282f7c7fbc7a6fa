// Predictions -> documents, appended to a string piece by piece so that an answer of any length needs little memory.
// Keys are the original system's, key for key (docs/formats/documents.md); ours come after them.
// Thread-safety: an answer is immutable once made; several threads may add rows, each to a text of its own. Same input,
// same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "base/text_room.h"
#include "model/model.h"
#include "table/csv_reader.h"
#include "table/row_error.h"

namespace dropscore::result {

struct Summary {
  std::uint64_t total_records = 0;  ///< scored ones
  std::uint64_t rejected_records = 0;
  std::uint64_t predicted_conversions = 0;

  double conversion_rate() const {
    return total_records == 0 ? 0.0 : static_cast<double>(predicted_conversions) / static_cast<double>(total_records);
  }
  void add(const model::Score& score) {
    ++total_records;
    if (score.converts) ++predicted_conversions;
  }
};

/// "Will Convert" or "Will Not Convert".
std::string_view label(const model::Score& score);
/// The larger of the two classes' probabilities.
double confidence(const model::Score& score);

/// What POST /predict answers: {"success":true,"predictions":[...],"errors":[...],"summary":{...},"model_version":...}.
/// "errors" is there only when a row was rejected.
class JsonAnswer {
 public:
  /// `decision` is the model's: "summary" names the probability from which it says "will convert".
  JsonAnswer(std::string_view model_version, const model::DecisionRule& decision)
      : model_version_(model_version), decision_(decision) {}
  static void begin(std::string& out);
  /// Begins with what separates it from the one before: the answer's first leaves out separator_bytes.
  static constexpr std::size_t separator_bytes = 1;
  static void add(TextRoom& out, std::uint64_t record_id, const model::Score& score);
  void end(std::string& out, const Summary& summary, const table::RowErrors& errors) const;

 private:
  std::string model_version_;
  model::DecisionRule decision_;
};

/// Every input column in its order, then prediction, prediction_label, probability_conversion, confidence, row_status;
/// in the input's own dialect (delimiter, line ends, decimal mark; UTF-8, with a byte order mark where the input had
/// one or was no UTF-8). A rejected row stays with empty scores; its row_status is the reason. Rows keep `header`'s
/// width.
class CsvAnswer {
 public:
  CsvAnswer(const table::Dialect& dialect, std::size_t input_columns);
  void begin(std::string& out, std::string_view raw_header) const;
  /// `raw` is the row's text as it was read.
  void add(TextRoom& out, std::string_view raw, const model::Score& score) const;
  void add_rejected(TextRoom& out, const table::Batch& batch, const table::Row& row, table::RowFault fault) const;

 private:
  void append_input(std::string& out, const table::Batch& batch, const table::Row& row) const;
  char* put_number(char* out, double number) const;

  table::Dialect dialect_;
  std::size_t input_columns_;
  std::string_view line_end_;
  // What stands between a row's text and its probability, and after its confidence.
  std::string positive_;
  std::string negative_;
  std::string accepted_;
};

/// The array of "errors": [{row, column, value, reason}], column null where none is to blame.
void write_errors(JsonWriter& json, const table::RowErrors& errors);
/// The members "errors" and, where the list was cut, "errors_truncated" and "errors_by_reason".
void write_error_members(JsonWriter& json, const table::RowErrors& errors);

/// The front and the back of a success document; between them stands a JsonAnswer.
std::string success_document_begin(std::string_view blob_name);
std::string success_document_end(std::string_view input_etag);
/// Writes members of an error document that say which rows are to blame; empty where none is.
using ErrorMembers = std::function<void(JsonWriter&)>;
ErrorMembers error_members(table::RowErrors errors);

/// {"blob_name","processing_status":"error","error", ...}.
std::string error_document(std::string_view blob_name, std::string_view message, const ErrorMembers& write_members,
                           std::string_view input_etag);

}  // namespace dropscore::result
