// Where to cut a probability. Chosen on out-of-fold predictions of training rows, never on held-out ones.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "metrics/classification.h"

namespace dropscore::metrics {

struct ChosenThreshold {
  double threshold = 0.5;  ///< predict 1 where probability >= threshold
  double value = 0;        ///< what the objective reached there
};

/// The threshold among the midpoints between neighbouring distinct probabilities (and below the least, above the
/// greatest) that makes `objective` greatest; of equals, the one nearest 0.5.
/// REQUIRES: equal sizes, at least one row. O(n log n).
ChosenThreshold best_threshold(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                               const std::function<double(const Confusion&)>& objective, double tolerance = 0);

}  // namespace dropscore::metrics
