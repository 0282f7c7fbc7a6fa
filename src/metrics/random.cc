#include "metrics/random.h"

#include <bit>
#include <cassert>
#include <limits>
#include <numeric>
#include <utility>

namespace dropscore::metrics {
namespace {

void shuffle(NumpyRandom& random, std::vector<std::size_t>& values) {
  for (std::size_t last = values.size(); last-- > 1;) std::swap(values[last], values[random.interval(last)]);
}

}  // namespace

// numpy seeds an integer with the paper's own init_genrand, and so does the standard library.
NumpyRandom::NumpyRandom(std::uint32_t seed) : engine_(seed) {}

std::uint32_t NumpyRandom::next32() { return static_cast<std::uint32_t>(engine_()); }

double NumpyRandom::uniform() {
  const std::uint32_t high = next32() >> 5U;  // 27 bits
  const std::uint32_t low = next32() >> 6U;   // 26 bits
  return (high * 0x1p26 + low) * 0x1p-53;
}

std::uint64_t NumpyRandom::interval(std::uint64_t max) {
  if (max == 0) return 0;  // numpy draws nothing here
  const std::uint64_t mask = std::numeric_limits<std::uint64_t>::max() >> static_cast<unsigned>(std::countl_zero(max));
  for (;;) {
    std::uint64_t drawn = next32();
    if (max > std::numeric_limits<std::uint32_t>::max()) drawn = (drawn << 32U) | next32();
    drawn &= mask;
    if (drawn <= max) return drawn;
  }
}

std::uint64_t NumpyRandom::randint(std::uint64_t high) {
  assert(high > 0);
  return interval(high - 1);
}

std::vector<std::size_t> NumpyRandom::permutation(std::size_t n) {
  std::vector<std::size_t> values(n);
  std::iota(values.begin(), values.end(), std::size_t{0});
  shuffle(*this, values);
  return values;
}

std::vector<std::size_t> NumpyRandom::permutation(std::span<const std::size_t> values) {
  std::vector<std::size_t> copy(values.begin(), values.end());
  shuffle(*this, copy);
  return copy;
}

}  // namespace dropscore::metrics
