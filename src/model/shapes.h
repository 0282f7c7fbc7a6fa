// Sums of functions of one feature each, every one a short table: the additive form's score, and boosted trees that ask
// about one feature each. Private to the room.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "features/matrix.h"

namespace dropscore::model {

/// One feature's part: values[b] + slopes[b] max(0, x - starts[b - 1]) for cuts[b - 1] <= x < cuts[b], `missing` of
/// NaN.
struct Shape {
  std::size_t column = 0;
  std::vector<double> cuts;    ///< strictly ascending; -infinity may be the first
  std::vector<double> values;  ///< one more than cuts
  std::vector<double> slopes;  ///< empty, or as many as values; the outer two are 0
  std::vector<double> starts;  ///< with slopes: one for each cut
  double missing = 0;
};

/// Immutable, thread-safe. Sums are those of the formula to the last bit, in the order of the shapes, on every
/// processor.
class ShapeKernel {
 public:
  ShapeKernel(double intercept, std::vector<Shape> shapes);
  /// REQUIRES: out.size() == rows.rows, every shape's column is there.
  void sum(features::MatrixView<float> rows, std::span<double> out) const;

 private:
  double intercept_;
  std::vector<Shape> shapes_;
};

}  // namespace dropscore::model
