#include "schema/fit.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "base/nearest_name.h"
#include "table/cells.h"

namespace dropscore::schema {
namespace {

using table::Frame;

struct LabelPair {
  std::string_view negative;
  std::string_view positive;
};
constexpr std::array<LabelPair, 4> label_pairs = {{{"no", "yes"}, {"false", "true"}, {"n", "y"}, {"f", "t"}}};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::optional<std::uint8_t> read_label(std::string_view cell, bool decimal_comma) {
  for (const LabelPair& pair : label_pairs) {
    if (equal_ignoring_case(cell, pair.negative)) return std::uint8_t{0};
    if (equal_ignoring_case(cell, pair.positive)) return std::uint8_t{1};
  }
  const table::ParsedNumber number = table::parse_number(cell, decimal_comma);
  if (number.fault != table::RowFault::none) return std::nullopt;
  if (number.value == 0) return std::uint8_t{0};
  if (number.value == 1) return std::uint8_t{1};
  return std::nullopt;
}

std::optional<std::size_t> find_column(const Frame& frame, const std::string& name) {
  const auto& names = frame.names();
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<std::size_t>(at - names.begin());
}

std::string no_such_column(const std::string& name, const Frame& frame) {
  const std::string nearest = nearest_name(name, frame.names());
  return nearest.empty() ? fmt::format("there is no column \"{}\"", name)
                         : fmt::format("there is no column \"{}\"; the nearest is \"{}\"", name, nearest);
}

/// What the training rows of one column hold.
struct ColumnSummary {
  std::size_t missing = 0;
  bool numeric = true;
  std::vector<double> numbers;                     // while numeric
  std::map<std::string_view, std::size_t> counts;  // once not
};

ColumnSummary summarize_numbers(const Frame& frame, std::span<const std::size_t> rows, std::size_t column) {
  ColumnSummary summary;
  summary.numbers.reserve(rows.size());
  for (const std::size_t row : rows) {
    const table::ParsedNumber number = table::parse_number(frame.cell(row, column), frame.decimal_comma());
    if (number.fault == table::RowFault::none) {
      summary.numbers.push_back(number.value);
    } else if (number.fault == table::RowFault::empty_cell) {
      ++summary.missing;
    } else {
      summary.numeric = false;
      return summary;
    }
  }
  return summary;
}

void summarize_texts(const Frame& frame, std::span<const std::size_t> rows, std::size_t column,
                     ColumnSummary& summary) {
  summary.numbers.clear();
  summary.missing = 0;
  std::unordered_map<std::string_view, std::size_t> counts;
  for (const std::size_t row : rows) {
    const std::string_view cell = frame.cell(row, column);
    if (table::is_missing(cell)) {
      ++summary.missing;
    } else {
      ++counts[cell];
    }
  }
  summary.counts = std::map<std::string_view, std::size_t>(counts.begin(), counts.end());
}

bool is_constant(const ColumnSummary& summary) {
  if (summary.missing > 0) return false;  // whether a value is there says something
  if (!summary.numeric) return summary.counts.size() == 1;
  return std::all_of(summary.numbers.begin(), summary.numbers.end(),
                     [&](double number) { return number == summary.numbers.front(); });
}

bool is_identifier(ColumnSummary& summary) {
  if (!summary.numeric) {
    return summary.counts.size() > 1 && std::all_of(summary.counts.begin(), summary.counts.end(),
                                                    [](const auto& entry) { return entry.second == 1; });
  }
  std::vector<double> sorted = summary.numbers;
  std::sort(sorted.begin(), sorted.end());
  const bool whole =
      std::all_of(sorted.begin(), sorted.end(), [](double number) { return number == std::floor(number); });
  const bool distinct = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  return whole && distinct && sorted.size() > 1 &&
         sorted.back() - sorted.front() < 4.0 * static_cast<double>(sorted.size());
}

double median(std::vector<double> numbers) {
  const std::size_t middle = numbers.size() / 2;
  std::nth_element(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(middle), numbers.end());
  const double upper = numbers[middle];
  if (numbers.size() % 2 == 1) return upper;
  const double lower = *std::max_element(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(middle));
  return lower + (upper - lower) / 2;
}

Feature make_feature(const std::string& name, const ColumnSummary& summary) {
  Feature feature;
  feature.name = name;
  feature.missing_allowed = summary.missing > 0;
  if (summary.numeric) {
    const auto [least, greatest] = std::minmax_element(summary.numbers.begin(), summary.numbers.end());
    feature.minimum = *least;
    feature.maximum = *greatest;
    feature.fill = median(summary.numbers);
    return feature;
  }
  feature.kind = Kind::categorical;
  std::size_t most = 0;
  for (const auto& [category, count] : summary.counts) {
    if (count > most) {  // of equally frequent ones the first, so that the order of rows does not matter
      most = count;
      feature.fill = static_cast<double>(feature.categories.size());
    }
    feature.categories.emplace_back(category);
  }
  return feature;
}

Status check_names(const Frame& frame, std::span<const std::string> names, std::string_view option) {
  for (const std::string& name : names) {
    if (!find_column(frame, name)) {
      return fail(ErrorKind::reject, fmt::format("{} {}: {}", option, name, no_such_column(name, frame)));
    }
  }
  return {};
}

Status check_unique_names(const Frame& frame) {
  std::vector<std::string> sorted = frame.names();
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    return fail(ErrorKind::reject, fmt::format("the column \"{}\" stands twice in the header; rename one", *twice));
  }
  return {};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<std::vector<std::uint8_t>> read_labels(const Frame& frame, const Target& target) {
  const std::optional<std::size_t> column = find_column(frame, target.column);
  if (!column) {
    return fail(ErrorKind::reject, fmt::format("no target: {} (--target)", no_such_column(target.column, frame)));
  }
  std::vector<std::uint8_t> values;
  values.reserve(frame.rows());
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    const std::optional<std::uint8_t> label = read_label(frame.cell(row, *column), frame.decimal_comma());
    if (!label) {
      return fail(ErrorKind::reject,
                  fmt::format("line {}: the target \"{}\" is neither 0 nor 1, yes nor no, true nor false; give every "
                              "row a label",
                              frame.lines()[row], target.column));
    }
    values.push_back(*label);
  }
  return values;
}

Result<Labels> read_labels(const Frame& frame, const std::string& target) {
  Labels labels;
  labels.target.column = target;
  DROPSCORE_TRY(labels.values, read_labels(frame, labels.target));
  const std::size_t column = *find_column(frame, target);
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    std::string& name = labels.values[row] == 1 ? labels.target.positive : labels.target.negative;
    if (name.empty()) name = frame.cell(row, column);
  }
  if (labels.target.positive.empty() || labels.target.negative.empty()) {
    return fail(ErrorKind::reject,
                fmt::format("every row has the same \"{}\"; learning needs rows of both kinds", target));
  }
  return labels;
}

Result<Schema> fit(const Frame& frame, std::span<const std::size_t> rows, const Target& target,
                   const FitOptions& options) {
  DROPSCORE_CHECK(check_unique_names(frame));
  DROPSCORE_CHECK(check_names(frame, options.drop, "--drop"));
  DROPSCORE_CHECK(check_names(frame, options.keep, "--keep"));
  Schema schema;
  schema.target = target;
  schema.unknown = options.unknown;
  for (std::size_t column = 0; column < frame.columns(); ++column) {
    const std::string& name = frame.names()[column];
    if (name == target.column) continue;
    if (contains(options.drop, name)) {
      schema.dropped.push_back({name, "asked for"});
      continue;
    }
    ColumnSummary summary = summarize_numbers(frame, rows, column);
    if (!summary.numeric) summarize_texts(frame, rows, column, summary);
    const bool keep = contains(options.keep, name);
    if (summary.missing == rows.size()) {
      schema.dropped.push_back({name, "empty"});
    } else if (!keep && is_constant(summary)) {
      schema.dropped.push_back({name, "constant"});
    } else if (!keep && is_identifier(summary)) {
      schema.dropped.push_back({name, "identifier"});
    } else if (summary.counts.size() > limits::max_categories) {
      return fail(ErrorKind::reject,
                  fmt::format("the column \"{}\" holds {} different texts, over the limit of {}; leave it "
                              "out (--drop \"{}\") or group its values",
                              name, summary.counts.size(), limits::max_categories, name));
    } else {
      schema.features.push_back(make_feature(name, summary));
    }
  }
  if (schema.features.empty()) return fail(ErrorKind::reject, "no column is left to learn from");
  return schema;
}

}  // namespace dropscore::schema
