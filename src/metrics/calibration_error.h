// How far probabilities can be taken at their word: of the rows said to convert with 80 %, do 80 %?
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dropscore::metrics {

inline constexpr std::size_t default_calibration_bins = 10;

/// One point of the reliability curve.
struct ReliabilityBin {
  std::uint64_t rows = 0;
  double least = 0;             ///< probability in the bin
  double greatest = 0;          ///< probability in the bin
  double mean_probability = 0;  ///< what was said
  double observed_rate = 0;     ///< what happened: the share of class 1
};

/// Bins of equal count: rows in the order of their probability, bin b of B beginning at row floor(b n / B). Rows with
/// the same probability stay together, in the bin where the first of them falls; a bin left empty by that is left out.
/// Ascending. REQUIRES: equal sizes, probabilities in [0, 1], bins > 0. O(n log n). Pure, thread-safe.
std::vector<ReliabilityBin> reliability_curve(std::span<const std::uint8_t> labels,
                                              std::span<const double> probabilities,
                                              std::size_t bins = default_calibration_bins);

/// Expected calibration error (Naeini, Cooper, Hauskrecht 2015, over the bins above, which are of equal count rather
/// than of equal width): sum over bins of rows / n |observed_rate - mean_probability|. 0 is best. NaN without rows.
double expected_calibration_error(std::span<const ReliabilityBin> curve);

}  // namespace dropscore::metrics
