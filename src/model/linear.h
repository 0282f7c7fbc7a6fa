// intercept + sum_j coefficient_j x_j over standardized x, in vectors of doubles: the logistic form and the linear
// support vector machine. Private to the room.
#pragma once

#include <span>

#include "features/matrix.h"
#include "model/packed_standardizer.h"

namespace dropscore::model {

/// Immutable, thread-safe. Differs from the formula by the order of its sum and an ulp for each quotient.
class LinearKernel {
 public:
  /// REQUIRES: one coefficient for each of the standardizer's columns.
  LinearKernel(const Standardizer& standardizer, std::span<const double> coefficients, double intercept);
  /// REQUIRES: rows.columns is the standardizer's, out.size() == rows.rows.
  void decide(features::MatrixView<float> rows, std::span<double> out) const;

 private:
  PackedStandardizer standardizer_;
  AlignedVector<double> coefficients_;
  double intercept_;
};

}  // namespace dropscore::model
