// Standard scaling, (x - mean) / scale, with a stated value in place of a missing or unknown one. Part of every form
// that needs features of one size (svm, logistic). Immutable, thread-safe.
// Results are bounded to +-1e15, so that no cell, however large, makes a decision value NaN.
// Source: scikit-learn's StandardScaler (population variance; a scale of 0 becomes 1).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "features/matrix.h"

namespace dropscore {
class JsonReader;
}

namespace dropscore::model {

struct Standardizer {
  std::vector<double> mean;
  std::vector<double> scale;
  std::vector<double> fill;  ///< raw value that stands in for NaN and for the code of an unknown category
  std::vector<bool> categorical;

  /// One value of column `column`.
  double apply(double raw, std::size_t column) const {
    const bool absent = std::isnan(raw) || (categorical[column] && raw < 0);
    const double scaled = ((absent ? fill[column] : raw) - mean[column]) / scale[column];
    return std::clamp(scaled, -bound, bound);
  }
  static constexpr double bound = 1e15;

  /// out = scaled rows. REQUIRES: rows.columns == mean.size().
  void apply(features::MatrixView<double> rows, features::Matrix<double>& out) const;
  void apply(features::MatrixView<float> rows, features::Matrix<float>& out) const;

  void save(JsonWriter& json) const;
  static Result<Standardizer> load(JsonReader json);
};

}  // namespace dropscore::model
