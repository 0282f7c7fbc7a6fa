#include "model/constant.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/json_reader.h"
#include "base/limits.h"

namespace dropscore::model {

std::unique_ptr<Constant> Constant::of_rate(std::size_t features, double rate) {
  assert(rate > 0 && rate < 1);
  return std::make_unique<Constant>(features, std::log(rate) - std::log1p(-rate));
}

void Constant::decide(features::MatrixView<float> rows, std::span<double> out) const {
  assert(rows.columns == features_ && out.size() == rows.rows);
  std::fill_n(out.begin(), rows.rows, log_odds_);
}

void Constant::decide(features::MatrixView<double> rows, std::span<double> out) const {
  assert(rows.columns == features_ && out.size() == rows.rows);
  std::fill_n(out.begin(), rows.rows, log_odds_);
}

void Constant::save(JsonWriter& json) const { json.member("features", features_).member("log_odds", log_odds_); }

Result<std::unique_ptr<Predictor>> Constant::load(JsonReader json) {
  DROPSCORE_TRY(const JsonReader features, json.member("features"));
  DROPSCORE_TRY(const std::uint64_t count, features.natural());
  if (count == 0 || count > limits::max_columns) return features.error("not a possible number of features");
  DROPSCORE_TRY(const JsonReader log_odds, json.member("log_odds"));
  DROPSCORE_TRY(const double value, log_odds.number());
  DROPSCORE_CHECK(json.no_other_members());
  return std::make_unique<Constant>(count, value);
}

}  // namespace dropscore::model
