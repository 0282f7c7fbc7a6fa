#include "model/standardizer.h"

#include <cassert>

#include <fmt/format.h>

#include "base/json_reader.h"

namespace dropscore::model {
namespace {

template <class T>
void apply_to(const Standardizer& standardizer, features::MatrixView<T> rows, features::Matrix<T>& out) {
  assert(rows.columns == standardizer.mean.size());
  out.resize(rows.rows, rows.columns);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t column = 0; column < rows.columns; ++column) {
      // In double whatever T is: a float's mean and difference would cost a digit where the mean is large.
      out(row, column) = static_cast<T>(standardizer.apply(static_cast<double>(rows(row, column)), column));
    }
  }
}

}  // namespace

void Standardizer::apply(features::MatrixView<double> rows, features::Matrix<double>& out) const {
  apply_to(*this, rows, out);
}
void Standardizer::apply(features::MatrixView<float> rows, features::Matrix<float>& out) const {
  apply_to(*this, rows, out);
}

void Standardizer::save(JsonWriter& json) const {
  std::vector<double> categorical_columns;
  for (std::size_t column = 0; column < categorical.size(); ++column) {
    if (categorical[column]) categorical_columns.push_back(static_cast<double>(column));
  }
  json.begin_object();
  json.key("mean").numbers(mean).key("scale").numbers(scale).key("fill").numbers(fill);
  json.key("categorical").numbers(categorical_columns);
  json.end_object();
}

Result<Standardizer> Standardizer::load(JsonReader json) {
  Standardizer standardizer;
  DROPSCORE_TRY(const JsonReader mean, json.member("mean"));
  DROPSCORE_TRY(standardizer.mean, mean.numbers());
  DROPSCORE_TRY(const JsonReader scale, json.member("scale"));
  DROPSCORE_TRY(standardizer.scale, scale.numbers());
  DROPSCORE_TRY(const JsonReader fill, json.member("fill"));
  DROPSCORE_TRY(standardizer.fill, fill.numbers());
  const std::size_t columns = standardizer.mean.size();
  if (columns == 0) return mean.error("empty");
  const auto differs = [&](std::size_t found) {
    return fmt::format("{} numbers, but \"mean\" has {}", found, columns);
  };
  if (standardizer.scale.size() != columns) return scale.error(differs(standardizer.scale.size()));
  if (standardizer.fill.size() != columns) return fill.error(differs(standardizer.fill.size()));
  for (const double one : standardizer.scale) {
    if (!(one > 0)) return scale.error("holds a number that is not over 0");
  }
  DROPSCORE_TRY(const JsonReader categorical, json.member("categorical"));
  DROPSCORE_TRY(const std::vector<JsonReader> listed, categorical.items());
  standardizer.categorical.assign(columns, false);
  for (const JsonReader& item : listed) {
    DROPSCORE_TRY(const std::uint64_t column, item.natural());
    if (column >= columns) return item.error(fmt::format("there are only {} columns", columns));
    if (standardizer.categorical[column]) return item.error("stands twice");
    standardizer.categorical[column] = true;
  }
  DROPSCORE_CHECK(json.no_other_members());
  return standardizer;
}

}  // namespace dropscore::model
