#include "learn/tree_data.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "learn/parameters.h"

namespace dropscore::learn {

std::vector<bool> categorical_columns(const schema::Schema& schema) {
  std::vector<bool> categorical;
  for (const schema::Feature& feature : schema.features) {
    categorical.push_back(feature.kind == schema::Kind::categorical);
  }
  return categorical;
}

features::Matrix<float> tree_cells(const TrainingSet& data, std::span<const std::size_t> rows) {
  assert(data.schema != nullptr && data.schema->size() == data.rows.columns);
  const std::vector<bool> categorical = categorical_columns(*data.schema);
  features::Matrix<float> cells(rows.size(), data.rows.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<const double> from = data.rows.row(rows[i]);
    for (std::size_t j = 0; j < from.size(); ++j) {
      const bool absent = std::isnan(from[j]) || (categorical[j] && from[j] < 0);
      constexpr auto bound = static_cast<double>(greatest_cell);
      cells(i, j) =
          absent ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(std::clamp(from[j], -bound, bound));
    }
  }
  return cells;
}

Result<std::uint32_t> whole_number(const Learner& learner, const Parameters& parameters, const std::string& name,
                                   std::uint32_t least, std::uint32_t most) {
  const std::string& text = parameters.at(name);
  std::uint32_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return bad_parameter(learner, parameters, name, fmt::format("not a whole number from {} to {}", least, most));
  }
  return number;
}

}  // namespace dropscore::learn
