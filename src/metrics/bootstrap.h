// How sure a figure is: the figures of held-out rows over and over, each time of as many rows drawn with replacement.
// Source: Efron 1979; percentile intervals.
#pragma once

#include <cstdint>
#include <span>

#include "metrics/classification.h"

namespace dropscore::metrics {

struct BootstrapOptions {
  std::uint32_t samples = 1000;
  std::uint32_t seed = 42;
  double level = 0.95;  ///< the share of samples within the interval; in (0, 1)
};

/// A percentile interval; both NaN where the figure had no meaning in any sample.
struct Interval {
  double low = 0;
  double high = 0;
};

struct FigureIntervals {
  Interval accuracy;
  Interval precision;
  Interval recall;
  Interval f1;
  Interval mcc;
  Interval roc_auc;
  Interval average_precision;
  Interval average_precision_negative;
  Interval log_loss;
  Interval brier_score;
};

/// Intervals of all figures together, from the same samples. Rows are drawn whatever their class; samples in which a
/// figure has no meaning (no row of one class) are left out of that figure's interval. Ends are interpolated between
/// neighbouring samples, as numpy.percentile does. Same arguments, same answer. It says what chance does to these
/// rows' figures, not what another training set would.
/// REQUIRES: three equal sizes, at least one row; samples > 0. O(samples x n) after sorting once. Pure, thread-safe.
FigureIntervals bootstrap(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                          std::span<const std::uint8_t> decisions, const BootstrapOptions& options = {});

}  // namespace dropscore::metrics
