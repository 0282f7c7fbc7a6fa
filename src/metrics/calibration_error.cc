#include "metrics/calibration_error.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

namespace dropscore::metrics {

std::vector<ReliabilityBin> reliability_curve(std::span<const std::uint8_t> labels,
                                              std::span<const double> probabilities, std::size_t bins) {
  assert(labels.size() == probabilities.size() && bins > 0);
  const std::size_t rows = labels.size();
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  // By row among equals, so that the sums, and with them the last digits, are the same everywhere.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probabilities[a] != probabilities[b] ? probabilities[a] < probabilities[b] : a < b;
  });
  std::vector<ReliabilityBin> curve;
  std::size_t at = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    std::size_t end = (bin + 1) * rows / bins;
    while (end > at && end < rows && probabilities[order[end]] == probabilities[order[end - 1]]) ++end;
    if (end <= at) continue;
    ReliabilityBin one{.rows = end - at, .least = probabilities[order[at]], .greatest = probabilities[order[end - 1]]};
    double said = 0;
    double happened = 0;
    for (; at < end; ++at) {
      said += probabilities[order[at]];
      happened += labels[order[at]] != 0 ? 1 : 0;
    }
    one.mean_probability = said / static_cast<double>(one.rows);
    one.observed_rate = happened / static_cast<double>(one.rows);
    curve.push_back(one);
  }
  return curve;
}

double expected_calibration_error(std::span<const ReliabilityBin> curve) {
  double rows = 0;
  double off = 0;
  for (const ReliabilityBin& bin : curve) {
    rows += static_cast<double>(bin.rows);
    off += static_cast<double>(bin.rows) * std::abs(bin.observed_rate - bin.mean_probability);
  }
  return rows == 0 ? std::numeric_limits<double>::quiet_NaN() : off / rows;
}

}  // namespace dropscore::metrics
