#include "metrics/threshold.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace dropscore::metrics {
namespace {

/// A number in (below, above]: the midpoint, save where rounding puts it on `below`, which must stay under the cut.
double cut_between(double below, double above) {
  const double middle = below + (above - below) / 2;
  return middle > below ? middle : above;
}

/// A cut that no probability reaches.
double cut_above(double greatest) {
  return greatest < 1 ? cut_between(greatest, 1) : std::nextafter(greatest, std::numeric_limits<double>::infinity());
}

}  // namespace

ChosenThreshold best_threshold(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                               const std::function<double(const Confusion&)>& objective, double tolerance) {
  assert(labels.size() == probabilities.size() && !labels.empty());
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] < probabilities[b]; });

  // The cut starts below every row, where all convert, and climbs: the rows that it passes change sides.
  Confusion counts;
  for (const std::uint8_t label : labels) ++(label != 0 ? counts.tp : counts.fp);
  std::vector<ChosenThreshold> cuts;
  const auto consider = [&](double threshold) {
    const double value = objective(counts);
    if (!std::isnan(value)) cuts.push_back({threshold, value});
  };
  const double least = probabilities[order.front()];
  consider(least > 0 ? cut_between(0, least) : least);
  std::size_t at = 0;
  while (at < order.size()) {
    const double passed = probabilities[order[at]];
    for (; at < order.size() && probabilities[order[at]] == passed; ++at) {
      if (labels[order[at]] != 0) {
        --counts.tp;
        ++counts.fn;
      } else {
        --counts.fp;
        ++counts.tn;
      }
    }
    consider(at < order.size() ? cut_between(passed, probabilities[order[at]]) : cut_above(passed));
  }
  double greatest = -std::numeric_limits<double>::infinity();
  for (const ChosenThreshold& cut : cuts) greatest = std::max(greatest, cut.value);
  ChosenThreshold best{0.5, greatest};
  double least_distance = std::numeric_limits<double>::infinity();
  for (const ChosenThreshold& cut : cuts) {
    const double distance = std::abs(cut.threshold - 0.5);
    if (cut.value < greatest - tolerance || distance >= least_distance) continue;
    best = cut;
    least_distance = distance;
  }
  return best;
}

}  // namespace dropscore::metrics
