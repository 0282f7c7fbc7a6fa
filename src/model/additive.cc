#include "model/additive.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "base/json_reader.h"
#include "model/calibration.h"
#include "model/link_simd.h"

namespace dropscore::model {
namespace {

bool within_bounds(double value) { return std::abs(value) <= Additive::bound; }  // false for NaN

/// What is wrong with one shape.
std::string check_shape(const AdditiveShape& shape) {
  if (shape.contribution.empty()) return "\"contribution\" is empty";
  if (shape.categorical && (!shape.cuts.empty() || !shape.slope.empty())) return "a category has no cuts and no slopes";
  if (!shape.categorical && shape.contribution.size() != shape.cuts.size() + 1) {
    return fmt::format("{} contributions, but {} cuts make {} bins", shape.contribution.size(), shape.cuts.size(),
                       shape.cuts.size() + 1);
  }
  if (!std::all_of(shape.cuts.begin(), shape.cuts.end(), [](double cut) { return std::isfinite(cut); })) {
    return "cuts must be finite";
  }
  const auto falls = [](double a, double b) { return AdditiveShape::rounded(a) >= AdditiveShape::rounded(b); };
  if (std::adjacent_find(shape.cuts.begin(), shape.cuts.end(), falls) != shape.cuts.end()) {
    return "cuts must ascend";
  }
  if (!within_bounds(shape.missing) ||
      !std::all_of(shape.contribution.begin(), shape.contribution.end(), within_bounds)) {
    return fmt::format("a contribution is over {}", Additive::bound);
  }
  if (shape.slope.empty()) return {};
  if (shape.slope.size() != shape.contribution.size()) return "not as many slopes as contributions";
  if (shape.slope.front() != 0 || shape.slope.back() != 0) return "the outer slopes must be 0";
  for (std::size_t bin = 1; bin < shape.cuts.size(); ++bin) {
    if (!within_bounds(shape.slope[bin] * (shape.cuts[bin] - shape.cuts[bin - 1]))) return "a slope is too steep";
  }
  return {};
}

}  // namespace

float AdditiveShape::rounded(double x) {
  constexpr double greatest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(x, -greatest, greatest));
}

template <class T>
double AdditiveShape::at(T x) const {
  if (std::isnan(x)) return missing;
  if (categorical) {
    // Compared before it is cast: a number that is no code has no meaning as an index.
    const bool known = x >= 0 && x < static_cast<T>(contribution.size());
    return known ? contribution[static_cast<std::size_t>(x)] : missing;
  }
  const float value = rounded(static_cast<double>(x));
  const auto above =
      std::partition_point(cuts.begin(), cuts.end(), [value](double cut) { return value >= rounded(cut); });
  const auto bin = static_cast<std::size_t>(above - cuts.begin());
  if (slope.empty() || slope[bin] == 0) return contribution[bin];
  // A cut that is no single-precision number may lie a little over x; the line begins at the cut.
  return contribution[bin] + slope[bin] * std::max(0.0, static_cast<double>(value) - cuts[bin - 1]);
}

template double AdditiveShape::at(float x) const;
template double AdditiveShape::at(double x) const;

std::string Additive::check(const AdditiveForm& form) {
  if (form.shapes.empty()) return "\"shapes\" is empty";
  for (const double share : {form.floor, form.drop}) {
    if (!(share >= 0 && share < 0.5)) return "floor and drop must lie within 0 and 1/2";
  }
  if (!within_bounds(form.intercept)) return fmt::format("the intercept is over {}", bound);
  for (std::size_t j = 0; j < form.shapes.size(); ++j) {
    if (const std::string wrong = check_shape(form.shapes[j]); !wrong.empty()) {
      return fmt::format("shapes[{}]: {}", j, wrong);
    }
  }
  return {};
}

namespace {

bool says_nothing(const AdditiveShape& shape) {
  const auto is_zero = [](double value) { return value == 0; };
  return std::all_of(shape.contribution.begin(), shape.contribution.end(), is_zero) &&
         std::all_of(shape.slope.begin(), shape.slope.end(), is_zero) && shape.missing == 0;
}

/// The feature's table for the kernel. A category's code c stands for c <= x < c + 1.
Shape kernel_shape(const AdditiveShape& shape, std::size_t column) {
  Shape out;
  out.column = column;
  out.missing = shape.missing;
  if (shape.categorical) {
    out.values.push_back(shape.missing);
    for (std::size_t code = 0; code < shape.contribution.size(); ++code) {
      out.cuts.push_back(static_cast<double>(code));
      out.values.push_back(shape.contribution[code]);
    }
    out.cuts.push_back(static_cast<double>(shape.contribution.size()));
    out.values.push_back(shape.missing);
    return out;
  }
  out.values = shape.contribution;
  for (const double cut : shape.cuts) {
    // What is under a float's range counts as its least number.
    const auto least = -std::numeric_limits<float>::max();
    const float compared = AdditiveShape::rounded(cut);
    out.cuts.push_back(compared == least ? -std::numeric_limits<double>::infinity() : static_cast<double>(compared));
  }
  const bool level = std::all_of(shape.slope.begin(), shape.slope.end(), [](double slope) { return slope == 0; });
  if (!level) {
    out.slopes = shape.slope;
    out.starts = shape.cuts;
  }
  return out;
}

ShapeKernel kernel_of(const AdditiveForm& form) {
  std::vector<Shape> shapes;
  for (std::size_t j = 0; j < form.shapes.size(); ++j) {
    if (!says_nothing(form.shapes[j])) shapes.push_back(kernel_shape(form.shapes[j], j));
  }
  return {form.intercept, std::move(shapes)};
}

}  // namespace

Additive::Additive(AdditiveForm form) : form_(std::move(form)), kernel_(kernel_of(form_)) {
  assert(check(form_).empty());
}

double Additive::probability_of(double f) const {
  return form_.floor + (1 - form_.floor - form_.drop) * sigmoid(f, -1, 0);
}

// log(P / (1 - P)) with 1 - P from its own formula, which loses no digits where P is close to 1.
double Additive::decision_of(double f) const {
  if (form_.floor == 0 && form_.drop == 0) return f;
  const double score = std::clamp(f, -farthest_score, farthest_score);
  const double span = 1 - form_.floor - form_.drop;
  return std::log(form_.floor + span * sigmoid(score, -1, 0)) - std::log(form_.drop + span * sigmoid(score, 1, 0));
}

void Additive::decide(features::MatrixView<float> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  kernel_.sum(rows, out);
  if (form_.floor != 0 || form_.drop != 0) bounded_log_odds(out, form_.floor, form_.drop);
}

void Additive::decide(features::MatrixView<double> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    double f = form_.intercept;
    for (std::size_t j = 0; j < rows.columns; ++j) f += form_.shapes[j].at(rows(row, j));
    out[row] = decision_of(f);
  }
}

std::vector<double> Additive::contributions(std::span<const double> row) const {
  assert(row.size() == features());
  std::vector<double> parts;
  for (std::size_t j = 0; j < row.size(); ++j) parts.push_back(form_.shapes[j].at(row[j]));
  return parts;
}

namespace {

/// The lines of a numeric feature: "  250.5 <= x < 900   +0.3120".
void append_bins(const AdditiveShape& shape, std::string& out) {
  for (std::size_t bin = 0; bin < shape.contribution.size(); ++bin) {
    const bool first = bin == 0;
    const bool last = bin == shape.cuts.size();
    const std::string range = first && last ? "any"
                              : first       ? fmt::format("under {:.6g}", shape.cuts[bin])
                              : last        ? fmt::format("{:.6g} and over", shape.cuts[bin - 1])
                                            : fmt::format("{:.6g} to {:.6g}", shape.cuts[bin - 1], shape.cuts[bin]);
    fmt::format_to(std::back_inserter(out), "  {:<40} {:+.4f}", range, shape.contribution[bin]);
    if (!shape.slope.empty() && shape.slope[bin] != 0) {
      const double end = shape.contribution[bin] + shape.slope[bin] * (shape.cuts[bin] - shape.cuts[bin - 1]);
      fmt::format_to(std::back_inserter(out), " rising or falling evenly to {:+.4f}", end);
    }
    out += '\n';
  }
}

void append_categories(const AdditiveShape& shape, const schema::Feature& feature, std::string& out) {
  for (std::size_t code = 0; code < shape.contribution.size(); ++code) {
    const std::string name = code < feature.categories.size() ? feature.categories[code] : fmt::format("code {}", code);
    fmt::format_to(std::back_inserter(out), "  {:<40} {:+.4f}\n", name, shape.contribution[code]);
  }
}

}  // namespace

std::string Additive::scorecard(const schema::Schema& schema) const {
  assert(schema.size() == features());
  std::string out = fmt::format(
      "score = {:+.4f} and one number from each table below\n"
      "probability = {:.4f} + {:.4f} / (1 + exp(-score))\n",
      form_.intercept, form_.floor, 1 - form_.floor - form_.drop);
  std::string unused;
  for (std::size_t j = 0; j < features(); ++j) {
    const AdditiveShape& shape = form_.shapes[j];
    const schema::Feature& feature = schema.features[j];
    if (says_nothing(shape)) {
      fmt::format_to(std::back_inserter(unused), "{}{}", unused.empty() ? "" : ", ", feature.name);
      continue;
    }
    fmt::format_to(std::back_inserter(out), "\n{}\n", feature.name);
    if (shape.categorical) {
      append_categories(shape, feature, out);
    } else {
      append_bins(shape, out);
    }
    const bool may_be_missing =
        feature.missing_allowed || (shape.categorical && schema.unknown == schema::UnknownRule::code);
    if (may_be_missing) {
      fmt::format_to(std::back_inserter(out), "  {:<40} {:+.4f}\n", "missing or unknown", shape.missing);
    }
  }
  if (!unused.empty()) fmt::format_to(std::back_inserter(out), "\nof no influence: {}\n", unused);
  return out;
}

void Additive::save(JsonWriter& json) const {
  json.member("intercept", form_.intercept).member("floor", form_.floor).member("drop", form_.drop);
  json.key("shapes").begin_array();
  for (const AdditiveShape& shape : form_.shapes) {
    json.begin_object().member("categorical", shape.categorical);
    if (!shape.categorical) json.key("cuts").numbers(shape.cuts);
    json.key("contribution").numbers(shape.contribution);
    if (!shape.categorical) json.key("slope").numbers(shape.slope);
    json.member("missing", shape.missing).end_object();
  }
  json.end_array();
}

namespace {

Result<AdditiveShape> read_shape(JsonReader json) {
  AdditiveShape shape;
  DROPSCORE_TRY(const JsonReader categorical, json.member("categorical"));
  DROPSCORE_TRY(shape.categorical, categorical.flag());
  if (!shape.categorical) {
    DROPSCORE_TRY(const JsonReader cuts, json.member("cuts"));
    DROPSCORE_TRY(shape.cuts, cuts.numbers());
    DROPSCORE_TRY(const JsonReader slope, json.member("slope"));
    DROPSCORE_TRY(shape.slope, slope.numbers());
  }
  DROPSCORE_TRY(const JsonReader contribution, json.member("contribution"));
  DROPSCORE_TRY(shape.contribution, contribution.numbers());
  DROPSCORE_TRY(const JsonReader missing, json.member("missing"));
  DROPSCORE_TRY(shape.missing, missing.number());
  DROPSCORE_CHECK(json.no_other_members());
  return shape;
}

}  // namespace

Result<std::unique_ptr<Predictor>> Additive::load(JsonReader json) {
  AdditiveForm form;
  DROPSCORE_TRY(const JsonReader intercept, json.member("intercept"));
  DROPSCORE_TRY(form.intercept, intercept.number());
  DROPSCORE_TRY(const JsonReader floor, json.member("floor"));
  DROPSCORE_TRY(form.floor, floor.number());
  DROPSCORE_TRY(const JsonReader drop, json.member("drop"));
  DROPSCORE_TRY(form.drop, drop.number());
  DROPSCORE_TRY(const JsonReader shapes, json.member("shapes"));
  DROPSCORE_TRY(const std::vector<JsonReader> items, shapes.items());
  for (const JsonReader& item : items) {
    DROPSCORE_TRY(AdditiveShape shape, read_shape(item));
    form.shapes.push_back(std::move(shape));
  }
  DROPSCORE_CHECK(json.no_other_members());
  if (const std::string wrong = check(form); !wrong.empty()) return json.error(wrong);
  return std::make_unique<Additive>(std::move(form));
}

}  // namespace dropscore::model
