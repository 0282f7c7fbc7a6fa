// Random numbers that are the same everywhere: numpy's legacy generator, for splits that equal scikit-learn's.
// Source: numpy.random.RandomState (MT19937; Matsumoto, Nishimura 1998), numpy/random/src/legacy and _mt19937.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace dropscore::metrics {

/// numpy.random.RandomState(seed) for an integer seed. Not thread-safe.
class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint32_t seed);

  std::uint32_t next32();
  /// Uniform in [0, 1) with 53 bits: random_sample().
  double uniform();
  /// Uniform in [0, max] by masked rejection, as shuffle() and permutation() draw.
  std::uint64_t interval(std::uint64_t max);
  /// randint(high) for the default 64-bit dtype's legacy path: uniform in [0, high).
  std::uint64_t randint(std::uint64_t high);
  /// permutation(n): 0..n-1 shuffled.
  std::vector<std::size_t> permutation(std::size_t n);
  /// permutation(values): a shuffled copy.
  std::vector<std::size_t> permutation(std::span<const std::size_t> values);

 private:
  std::mt19937 engine_;
};

}  // namespace dropscore::metrics
