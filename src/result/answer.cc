#include "result/answer.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "table/csv_writer.h"

namespace dropscore::result {

namespace {

constexpr std::array<std::string_view, 5> added_columns = {"prediction", "prediction_label", "probability_conversion",
                                                           "confidence", "row_status"};

void append_natural(std::string& out, std::uint64_t number) { JsonWriter(out).value(number); }

}  // namespace

std::string_view label(const model::Score& score) { return score.converts ? "Will Convert" : "Will Not Convert"; }

double confidence(const model::Score& score) { return std::max(score.probability, 1 - score.probability); }

void JsonAnswer::begin(std::string& out) const { out.append(R"({"success":true,"predictions":[)"); }

// Written without the JsonWriter's bookkeeping: this is the one line that runs a million times a second.
void JsonAnswer::add(std::string& out, std::uint64_t record_id, const model::Score& score) {
  out.append(any_ ? ",\n" : "\n");
  any_ = true;
  out.append(R"({"record_id":)");
  append_natural(out, record_id);
  out.append(score.converts ? R"(,"prediction":1,"prediction_label":"Will Convert","probability_conversion":)"
                            : R"(,"prediction":0,"prediction_label":"Will Not Convert","probability_conversion":)");
  append_json_number(out, score.probability);
  out.append(R"(,"confidence":)");
  append_json_number(out, confidence(score));
  out.push_back('}');
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
  json.end_object();
  json.member("model_version", model_version_);
  json.end_object();
  out.push_back(',');
  out.append(rest, 1);  // the members and the closing brace of the object that begin() opened
}

CsvAnswer::CsvAnswer(const table::Dialect& dialect, std::size_t input_columns)
    : dialect_(dialect), input_columns_(input_columns), line_end_(dialect.crlf ? "\r\n" : "\n") {}

void CsvAnswer::begin(std::string& out, std::string_view raw_header) {
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

void CsvAnswer::append_number(std::string& out, double number) const {
  const std::size_t from = out.size();
  append_json_number(out, number);
  if (dialect_.decimal_comma) std::replace(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), '.', ',');
}

void CsvAnswer::add(std::string& out, const table::Batch& batch, const table::Row& row,
                    const model::Score& score) const {
  const char delimiter = dialect_.delimiter;
  append_input(out, batch, row);
  out.push_back(delimiter);
  out.push_back(score.converts ? '1' : '0');
  out.push_back(delimiter);
  out.append(label(score));
  out.push_back(delimiter);
  append_number(out, score.probability);
  out.push_back(delimiter);
  append_number(out, confidence(score));
  out.push_back(delimiter);
  out.append("ok");
  out.append(line_end_);
}

void CsvAnswer::add_rejected(std::string& out, const table::Batch& batch, const table::Row& row,
                             table::RowFault fault) const {
  append_input(out, batch, row);
  out.append(4, dialect_.delimiter);
  out.push_back(dialect_.delimiter);
  table::append_csv_cell(out, table::reason(fault), dialect_.delimiter);
  out.append(line_end_);
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
