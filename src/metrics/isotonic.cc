#include "metrics/isotonic.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace dropscore::metrics {
namespace {

/// Neighbouring decision values that share a probability.
struct Pool {
  double least;     ///< decision value
  double greatest;  ///< decision value
  double ones;
  double rows;

  double mean() const { return ones / rows; }
};

/// One pool for each distinct decision value, ascending.
std::vector<Pool> ties(std::span<const double> decisions, std::span<const std::uint8_t> labels) {
  std::vector<std::size_t> order(decisions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return decisions[a] < decisions[b]; });
  std::vector<Pool> pools;
  for (const std::size_t row : order) {
    const double at = decisions[row];
    if (pools.empty() || pools.back().greatest != at) pools.push_back({at, at, 0, 0});
    pools.back().ones += labels[row] != 0 ? 1 : 0;
    pools.back().rows += 1;
  }
  return pools;
}

}  // namespace

IsotonicPoints fit_isotonic(std::span<const double> decisions, std::span<const std::uint8_t> labels) {
  assert(decisions.size() == labels.size() && !labels.empty());
  std::vector<Pool> pools;
  for (Pool pool : ties(decisions, labels)) {
    // Whole numbers, so that equal means are found equal: a / b >= c / d as a d >= c b.
    while (!pools.empty() && pools.back().ones * pool.rows >= pool.ones * pools.back().rows) {
      const Pool& before = pools.back();
      pool = {before.least, pool.greatest, before.ones + pool.ones, before.rows + pool.rows};
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  IsotonicPoints points;
  for (const Pool& pool : pools) {
    points.decision.push_back(pool.least);
    points.probability.push_back(pool.mean());
    if (pool.greatest == pool.least) continue;
    points.decision.push_back(pool.greatest);
    points.probability.push_back(pool.mean());
  }
  return points;
}

}  // namespace dropscore::metrics
