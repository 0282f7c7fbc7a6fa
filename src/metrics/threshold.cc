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
                               const std::function<double(const Confusion&)>& objective) {
  assert(labels.size() == probabilities.size() && !labels.empty());
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] < probabilities[b]; });

  // The cut starts below every row, where all convert, and climbs: the rows that it passes change sides.
  Confusion counts;
  for (const std::uint8_t label : labels) ++(label != 0 ? counts.tp : counts.fp);
  ChosenThreshold best{0.5, -std::numeric_limits<double>::infinity()};
  bool found = false;
  const auto consider = [&](double threshold) {
    const double value = objective(counts);
    if (std::isnan(value)) return;
    const bool nearer = std::abs(threshold - 0.5) < std::abs(best.threshold - 0.5);
    if (found && (value < best.value || (value == best.value && !nearer))) return;
    best = {threshold, value};
    found = true;
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
  return best;
}

}  // namespace dropscore::metrics
