// Isotonic regression: the non-decreasing probabilities of decision values that have the least squared error.
// Source: pool adjacent violators (Ayer, Brunk, Ewing, Reid, Silverman 1955); ties, points and interpolation as
// scikit-learn's IsotonicRegression.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dropscore::metrics {

/// Points to interpolate between, constant outside: what a calibration of kind `isotonic` takes.
struct IsotonicPoints {
  std::vector<double> decision;     ///< strictly ascending, at least one
  std::vector<double> probability;  ///< never falling, within [0, 1], as many
};

/// Rows with the same decision value count as one, weighted by their number. Of each run of equal probabilities only
/// the two ends are kept: those between change nothing.
/// REQUIRES: equal sizes, at least one row, decisions finite. O(n log n). Pure, thread-safe.
IsotonicPoints fit_isotonic(std::span<const double> decisions, std::span<const std::uint8_t> labels);

}  // namespace dropscore::metrics
