#include "model/link_simd.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/link_simd.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "model/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// out = function(in), the last register filled up with 0.
template <class Function>
HWY_INLINE void transform(std::span<const double> in, std::span<double> out, const Function& function) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= in.size(); i += lanes) hn::StoreU(function(hn::LoadU(d, in.data() + i)), d, out.data() + i);
  if (i == in.size()) return;
  HWY_ALIGN std::array<double, 8> rest{};
  std::copy(in.begin() + static_cast<std::ptrdiff_t>(i), in.end(), rest.begin());
  hn::Store(function(hn::Load(d, rest.data())), d, rest.data());
  std::copy_n(rest.begin(), in.size() - i, out.begin() + static_cast<std::ptrdiff_t>(i));
}

// With e = exp(-|z|) <= 1 neither side overflows.
void Sigmoids(std::span<const double> decisions, double a, double b, std::span<double> out) {
  const Doubles d;
  const VDouble one = hn::Set(d, 1.0);
  transform(decisions, out, [&](VDouble f) HWY_ATTR {
    const VDouble z = hn::Add(hn::Mul(f, hn::Set(d, a)), hn::Set(d, b));
    const VDouble size = hn::Abs(z);
    const VDouble e = hn::IfThenElseZero(hn::Le(size, hn::Set(d, 708.0)), exp_of(d, hn::Neg(size)));
    return hn::Div(hn::IfThenElse(hn::Ge(z, hn::Zero(d)), e, one), hn::Add(one, e));
  });
}

// With e = exp(-f) the odds are (1 - drop + floor e) / (drop + (1 - floor) e).
void BoundedLogOdds(std::span<double> f, double floor, double drop) {
  const Doubles d;
  const VDouble bound = hn::Set(d, farthest_score);
  transform(f, f, [&](VDouble score) HWY_ATTR {
    const VDouble e = exp_of(d, hn::Neg(hn::Min(hn::Max(score, hn::Neg(bound)), bound)));
    const VDouble yes = hn::MulAdd(e, hn::Set(d, floor), hn::Set(d, 1 - drop));
    const VDouble no = hn::MulAdd(e, hn::Set(d, 1 - floor), hn::Set(d, drop));
    return log_of(d, hn::Div(yes, no));
  });
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::model {

HWY_EXPORT(Sigmoids);
HWY_EXPORT(BoundedLogOdds);

void sigmoids(std::span<const double> decisions, double A, double B,  // NOLINT(readability-identifier-naming)
              std::span<double> out) {
  HWY_DYNAMIC_DISPATCH(Sigmoids)(decisions, A, B, out);
}

void bounded_log_odds(std::span<double> f, double floor, double drop) {
  HWY_DYNAMIC_DISPATCH(BoundedLogOdds)(f, floor, drop);
}

}  // namespace dropscore::model
#endif
