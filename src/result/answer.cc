#include "result/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/shortest.h"
#include "base/utf8.h"
#include "table/csv_writer.h"

namespace dropscore::result {

namespace {

constexpr std::array<std::string_view, 5> added_columns = {"prediction", "prediction_label", "probability_conversion",
                                                           "confidence", "row_status"};

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

/// The probability of conversion is the larger of the two.
bool is_confidence(const model::Score& score) { return score.probability >= 1 - score.probability; }

}  // namespace

std::string_view label(const model::Score& score) { return score.converts ? "Will Convert" : "Will Not Convert"; }

double confidence(const model::Score& score) { return std::max(score.probability, 1 - score.probability); }

void JsonAnswer::begin(std::string& out) { out.append(R"({"success":true,"predictions":[)"); }

// Written without the JsonWriter's bookkeeping: this runs a million times a second.
void JsonAnswer::add(TextRoom& out, std::uint64_t record_id, const model::Score& score) {
  constexpr std::string_view before_id = ",\n{\"record_id\":";
  constexpr std::string_view positive =
      R"(,"prediction":1,"prediction_label":"Will Convert","probability_conversion":)";
  constexpr std::string_view negative =
      R"(,"prediction":0,"prediction_label":"Will Not Convert","probability_conversion":)";
  constexpr std::string_view before_confidence = R"(,"confidence":)";
  constexpr std::size_t most_bytes =
      before_id.size() + negative.size() + before_confidence.size() + 3 * most_number_bytes;
  char* at = put(out.room(most_bytes), before_id);
  at = std::to_chars(at, at + most_number_bytes, record_id).ptr;
  at = score.converts ? put(at, positive) : put(at, negative);
  const char* const probability = at;
  at = put_json_number(at, score.probability);
  const std::string_view probability_text(probability, static_cast<std::size_t>(at - probability));
  at = put(at, before_confidence);
  at = is_confidence(score) ? put(at, probability_text) : put_json_number(at, confidence(score));
  *at++ = '}';
  out.wrote_to(at);
}

void JsonAnswer::end(std::string& out, const Summary& summary, const table::RowErrors& errors) const {
  out.append("\n]");
  std::string rest;
  JsonWriter json(rest);
  json.begin_object();
  if (errors.total() > 0) write_error_members(json, errors);
  json.key("summary").begin_object();
  json.member("total_records", summary.total_records);
  json.member("predicted_conversions", summary.predicted_conversions);
  json.member("conversion_rate", summary.conversion_rate());
  json.member("rejected_records", summary.rejected_records);
  if (decision_.kind == model::DecisionRule::Kind::probability) json.member("threshold", decision_.threshold);
  json.end_object();
  json.member("model_version", model_version_);
  json.end_object();
  out.push_back(',');
  out.append(rest, 1);  // the members and the closing brace of the object that begin() opened
}

CsvAnswer::CsvAnswer(const table::Dialect& dialect, std::size_t input_columns)
    : dialect_(dialect), input_columns_(input_columns), line_end_(dialect.crlf ? "\r\n" : "\n") {
  const auto cells = [this](std::string_view first, const model::Score& score) {
    std::string text(1, dialect_.delimiter);
    text.append(first).append(1, dialect_.delimiter).append(label(score)).append(1, dialect_.delimiter);
    return text;
  };
  positive_ = cells("1", {1, true});
  negative_ = cells("0", {0, false});
  accepted_ = std::string(1, dialect_.delimiter).append("ok").append(line_end_);
}

void CsvAnswer::begin(std::string& out, std::string_view raw_header) const {
  if (dialect_.bom || dialect_.encoding != table::Encoding::utf8) out.append(utf8_bom);
  out.append(raw_header);
  for (const std::string_view name : added_columns) {
    out.push_back(dialect_.delimiter);
    out.append(name);
  }
  out.append(line_end_);
}

void CsvAnswer::append_input(std::string& out, const table::Batch& batch, const table::Row& row) const {
  if (row.fault == table::RowFault::none) {
    out.append(row.raw);
    return;
  }
  // What the reader could not make sense of is brought to the header's width, so that the file stays a table.
  for (std::size_t i = 0; i < input_columns_; ++i) {
    if (i > 0) out.push_back(dialect_.delimiter);
    if (i < row.cell_count) table::append_csv_cell(out, batch.cell(row, i), dialect_.delimiter);
  }
}

char* CsvAnswer::put_number(char* out, double number) const {
  char* const end = put_json_number(out, number);
  if (dialect_.decimal_comma) std::replace(out, end, '.', ',');
  return end;
}

void CsvAnswer::add(TextRoom& out, std::string_view raw, const model::Score& score) const {
  const std::string& before = score.converts ? positive_ : negative_;
  char* at = out.room(raw.size() + before.size() + 2 * most_number_bytes + 1 + accepted_.size());
  at = put(put(at, raw), before);
  const char* const probability = at;
  at = put_number(at, score.probability);
  const std::string_view probability_text(probability, static_cast<std::size_t>(at - probability));
  *at++ = dialect_.delimiter;
  at = is_confidence(score) ? put(at, probability_text) : put_number(at, confidence(score));
  out.wrote_to(put(at, accepted_));
}

void CsvAnswer::add_rejected(TextRoom& out, const table::Batch& batch, const table::Row& row,
                             table::RowFault fault) const {
  std::string text;
  append_input(text, batch, row);
  text.append(5, dialect_.delimiter);
  table::append_csv_cell(text, table::reason(fault), dialect_.delimiter);
  text.append(line_end_);
  out.append(text);
}

void write_errors(JsonWriter& json, const table::RowErrors& errors) {
  json.begin_array();
  for (const table::RowError& error : errors.listed()) {
    json.begin_object();
    json.member("row", error.row);
    json.key("column");
    if (error.column.empty()) {
      json.null();
    } else {
      json.value(error.column);
    }
    json.member("value", error.value).member("reason", table::reason(error.fault));
    json.end_object();
  }
  json.end_array();
}

void write_error_members(JsonWriter& json, const table::RowErrors& errors) {
  json.key("errors");
  write_errors(json, errors);
  if (!errors.truncated()) return;
  json.member("errors_truncated", true);
  json.key("errors_by_reason").begin_object();
  for (std::size_t i = 0; i < table::row_fault_count; ++i) {
    const auto fault = static_cast<table::RowFault>(i);
    if (errors.count(fault) > 0) json.member(table::reason(fault), errors.count(fault));
  }
  json.end_object();
}

std::string success_document_begin(std::string_view blob_name) {
  std::string out = R"({"blob_name":)";
  append_json_string(out, blob_name);
  out.append(R"(,"processing_status":"success","predictions":)");
  return out;
}

std::string success_document_end(std::string_view input_etag) {
  std::string out = R"(,"input_etag":)";
  append_json_string(out, input_etag);
  out.append("}\n");
  return out;
}

ErrorMembers error_members(table::RowErrors errors) {
  if (errors.total() == 0) return {};
  return [errors = std::move(errors)](JsonWriter& json) { write_error_members(json, errors); };
}

std::string error_document(std::string_view blob_name, std::string_view message, const ErrorMembers& write_members,
                           std::string_view input_etag) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object();
  json.member("blob_name", blob_name).member("processing_status", "error").member("error", message);
  if (write_members) write_members(json);
  json.member("input_etag", input_etag);
  json.end_object();
  out.push_back('\n');
  return out;
}

}  // namespace dropscore::result
