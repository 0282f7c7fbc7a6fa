#include "model/ranks.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ranks.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void CountRanks(std::span<const AlignedVector<float>> levels, const float* x, std::size_t stride,
                std::span<std::uint16_t> out) {
  const hn::CappedTag<float, 16> d;
  // What fills a level up is over every number.
  const auto most = hn::Set(d, std::numeric_limits<float>::max());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = hn::Set(d, x[i * stride]);
    const auto compared = hn::IfThenElse(hn::Gt(value, most), most, value);
    std::size_t rank = 0;
    for (std::size_t level = levels.size(); level-- > 0;) {
      const float* sixteen = levels[level].data() + rank * 16;
      std::size_t reached = 0;
      for (std::size_t k = 0; k < 16; k += hn::Lanes(d)) {
        reached += hn::CountTrue(d, hn::Ge(compared, hn::Load(d, sixteen + k)));
      }
      rank = rank * 16 + reached;
    }
    out[i] = static_cast<std::uint16_t>(rank);
  }
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::model {

HWY_EXPORT(CountRanks);

Ranks::Ranks(std::span<const float> thresholds) : thresholds_(thresholds.size()) {
  std::vector<float> numbers(thresholds.begin(), thresholds.end());
  while (true) {
    // One number at least fills the top up, so that fewer than sixteen are reached there and below.
    const std::size_t size = numbers.size() / 16 * 16 + 16;
    AlignedVector<float> level(size, std::numeric_limits<float>::infinity());
    std::copy(numbers.begin(), numbers.end(), level.begin());
    levels_.push_back(std::move(level));
    if (size == 16) return;
    numbers.clear();
    for (std::size_t last = 15; last < size - 16; last += 16) numbers.push_back(levels_.back()[last]);
  }
}

void Ranks::count(const float* x, std::size_t stride, std::span<std::uint16_t> out) const {
  HWY_DYNAMIC_DISPATCH(CountRanks)(levels_, x, stride, out);
}

}  // namespace dropscore::model
#endif
