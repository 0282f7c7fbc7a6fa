// Standard scaling, (x - mean) / scale, with a stated value in place of a missing or unknown one. Part of every form
// that needs features of one size (svm, logistic). Immutable, thread-safe.
// Source: scikit-learn's StandardScaler (population variance; a scale of 0 becomes 1).
#pragma once

#include <span>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "features/matrix.h"

namespace simdjson::dom {
class element;
}

namespace dropscore::model {

struct Standardizer {
  std::vector<double> mean;
  std::vector<double> scale;
  std::vector<double> fill;  ///< raw value that stands in for NaN and for the code of an unknown category
  std::vector<bool> categorical;

  /// out = scaled rows. REQUIRES: rows.columns == mean.size().
  void apply(features::MatrixView<double> rows, features::Matrix<double>& out) const;
  void apply(features::MatrixView<float> rows, features::Matrix<float>& out) const;

  void save(JsonWriter& json) const;
  static Result<Standardizer> load(const simdjson::dom::element& json);
};

}  // namespace dropscore::model
