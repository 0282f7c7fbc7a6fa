#include "features/encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "base/nearest_name.h"
#include "table/cells.h"

namespace dropscore::features {

using schema::Feature;
using schema::Schema;
using table::RowFault;

EncodedCell encode_cell(const Feature& feature, schema::UnknownRule unknown, std::string_view cell,
                        bool decimal_comma) {
  if (feature.kind == schema::Kind::numeric) {
    const table::ParsedNumber number = table::parse_number(cell, decimal_comma);
    if (number.fault != RowFault::empty_cell) return {number.value, number.fault};
  } else {
    // A category that training saw is that category, even where its text could also mean "missing".
    const std::string_view text = table::trim(cell);
    if (const auto code = feature.code(text)) return {static_cast<double>(*code), RowFault::none};
    if (!table::is_missing(text)) {
      if (unknown == schema::UnknownRule::code) return {schema::unknown_category_code, RowFault::none};
      return {0, RowFault::unknown_category};
    }
  }
  if (feature.missing_allowed) return {std::numeric_limits<double>::quiet_NaN(), RowFault::none};
  return {0, RowFault::empty_cell};
}

namespace {

constexpr std::size_t most_named = 20;
constexpr std::size_t most_likened = 3;  // each is held against the whole header

Error missing_columns(std::span<const std::string> missing, std::span<const std::string> header) {
  std::string text =
      fmt::format("{} missing; the model needs {}", counted("column", missing), missing.size() == 1 ? "it" : "them");
  for (std::size_t i = 0; i < std::min(missing.size(), most_likened); ++i) {
    const std::string nearest = nearest_name(missing[i], header);
    if (nearest.empty()) continue;
    text += fmt::format(". The nearest column to \"{}\" in the file is \"{}\": rename it if it holds the same thing",
                        missing[i], nearest);
  }
  return Error{ErrorKind::reject, CustomerText{text}, OperatorText{text}};
}

}  // namespace

std::string counted(std::string_view what, std::span<const std::string> names) {
  const std::size_t named = std::min(names.size(), most_named);
  std::string text = fmt::format("the {}{}", what, names.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < named; ++i) {
    const bool last = i + 1 == names.size();
    text += fmt::format("{} \"{}\"", i == 0 ? "" : last ? " and" : ",", names[i]);
  }
  if (names.size() > named) text += fmt::format(" and {} more", names.size() - named);
  return text + (names.size() == 1 ? " is" : " are");
}

Result<std::vector<std::uint32_t>> bind_columns(const Schema& schema, std::span<const std::string> header) {
  std::vector<std::uint32_t> columns;
  columns.reserve(schema.size());
  std::vector<std::string> missing;
  for (const Feature& feature : schema.features) {
    const auto at = std::find(header.begin(), header.end(), feature.name);
    if (at == header.end()) {
      missing.push_back(feature.name);
      continue;
    }
    if (std::find(at + 1, header.end(), feature.name) != header.end()) {
      return fail(ErrorKind::reject,
                  fmt::format("the column \"{}\" stands twice in the header; rename or remove one", feature.name));
    }
    columns.push_back(static_cast<std::uint32_t>(at - header.begin()));
  }
  if (!missing.empty()) return tl::unexpected<Error>(missing_columns(missing, header));
  return columns;
}

Result<RowEncoder> RowEncoder::bind(const Schema& schema, std::span<const std::string> header, bool decimal_comma) {
  DROPSCORE_TRY(std::vector<std::uint32_t> columns, bind_columns(schema, header));
  return RowEncoder(schema, std::move(columns), {header.begin(), header.end()}, decimal_comma);
}

template <class T>
RowFault RowEncoder::encode(const table::Batch& batch, const table::Row& row, std::span<T> out,
                            table::RowErrors& errors) const {
  if (row.fault != RowFault::none) {
    table::add_error(errors, batch, row, header_);
    return row.fault;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string_view cell = batch.cell(row, columns_[i]);
    EncodedCell encoded = encode_cell(schema_->features[i], schema_->unknown, cell, decimal_comma_);
    if constexpr (std::is_same_v<T, float>) {
      // A double that a float cannot hold would become an infinity; no model was trained on such numbers.
      if (std::abs(encoded.value) > static_cast<double>(std::numeric_limits<float>::max())) {
        encoded.fault = RowFault::number_too_large;
      }
    }
    if (encoded.fault != RowFault::none) {
      errors.add(row.line, header_[columns_[i]], cell, encoded.fault);
      return encoded.fault;
    }
    out[i] = static_cast<T>(encoded.value);
  }
  return RowFault::none;
}

template RowFault RowEncoder::encode(const table::Batch&, const table::Row&, std::span<float>, table::RowErrors&) const;
template RowFault RowEncoder::encode(const table::Batch&, const table::Row&, std::span<double>,
                                     table::RowErrors&) const;

Result<Matrix<double>> encode_frame(const Schema& schema, const table::Frame& frame, std::span<const std::size_t> rows,
                                    std::vector<std::size_t>& kept, table::RowErrors& errors) {
  DROPSCORE_TRY(const std::vector<std::uint32_t> columns, bind_columns(schema, frame.names()));
  Matrix<double> matrix(rows.size(), schema.size());
  kept.clear();
  for (const std::size_t row : rows) {
    const std::span<double> out = matrix.row(kept.size());
    bool good = true;
    for (std::size_t i = 0; i < columns.size() && good; ++i) {
      const std::string_view cell = frame.cell(row, columns[i]);
      const EncodedCell encoded = encode_cell(schema.features[i], schema.unknown, cell, frame.decimal_comma());
      out[i] = encoded.value;
      if (encoded.fault != RowFault::none) {
        errors.add(frame.lines()[row], schema.features[i].name, cell, encoded.fault);
        good = false;
      }
    }
    if (good) kept.push_back(row);
  }
  matrix.resize(kept.size(), schema.size());
  return matrix;
}

}  // namespace dropscore::features
