// What the kernels of this room share: registers of doubles, their exp and log, and unrolling. Included once for each
// target.
#if defined(DROPSCORE_MODEL_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DROPSCORE_MODEL_SIMD_INL_H_
#undef DROPSCORE_MODEL_SIMD_INL_H_
#else
#define DROPSCORE_MODEL_SIMD_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using VDouble = hn::Vec<Doubles>;

// body(0), body(1), ... with each number known to the compiler, so that arrays of registers are registers.
template <std::size_t kCount, class Body>
HWY_INLINE void for_each(const Body& body) {
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) HWY_ATTR {
    (body(std::integral_constant<std::size_t, kIndex>()), ...);
  }
  (std::make_index_sequence<kCount>());
}

// exp(x), x clamped to [-708, 709]; relative error below 4e-16. By x = k ln 2 + r and Taylor's series of r, |r| <=
// ln 2 / 2, to the 13th power.
HWY_INLINE VDouble exp_of(Doubles d, VDouble x) {
  const VDouble inside = hn::Min(hn::Max(x, hn::Set(d, -708.0)), hn::Set(d, 709.0));
  // Adding 1.5 * 2^52 rounds x / ln 2 to a whole number k and leaves k in the lowest bits.
  const VDouble magic = hn::Set(d, 6755399441055744.0);
  const VDouble shifted = hn::MulAdd(inside, hn::Set(d, 1.4426950408889634), magic);
  const VDouble k = hn::Sub(shifted, magic);
  // ln 2 in two parts; k times the first is exact.
  const VDouble r = hn::NegMulAdd(k, hn::Set(d, 1.90821492927058770002e-10),
                                  hn::NegMulAdd(k, hn::Set(d, 6.93147180369123816490e-01), inside));
  VDouble sum = hn::Set(d, 1.0 / 6227020800);
  for (const double coefficient : {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                   1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0}) {
    sum = hn::MulAdd(sum, r, hn::Set(d, coefficient));
  }
  const hn::RebindToUnsigned<Doubles> du;
  const auto scale = hn::Add(hn::ShiftLeft<52>(hn::BitCast(du, shifted)), hn::Set(du, std::uint64_t{1023} << 52U));
  return hn::Mul(sum, hn::BitCast(d, scale));
}

// log(y) of normal y > 0, off by less than 4e-16 (1 + |log y|). By y = 2^e m, m within [sqrt(1/2), sqrt(2)), and the
// series of log m = 2 artanh((m - 1) / (m + 1)).
HWY_INLINE VDouble log_of(Doubles d, VDouble y) {
  const hn::RebindToUnsigned<Doubles> du;
  constexpr std::uint64_t one = 0x3FF0000000000000;
  constexpr std::uint64_t root_half = 0x3FE6A09E667F3BCD;
  const auto bits = hn::BitCast(du, y);
  const auto biased = hn::ShiftRight<52>(hn::Add(bits, hn::Set(du, one - root_half)));  // e + 1023
  const VDouble m = hn::BitCast(d, hn::Add(hn::Sub(bits, hn::ShiftLeft<52>(biased)), hn::Set(du, one)));
  // A small whole number in the lowest bits of 2^52 becomes a double by subtraction.
  const VDouble e =
      hn::Sub(hn::BitCast(d, hn::Or(biased, hn::Set(du, 0x4330000000000000))), hn::Set(d, 4503599627370496.0 + 1023));
  const VDouble s = hn::Div(hn::Sub(m, hn::Set(d, 1.0)), hn::Add(m, hn::Set(d, 1.0)));
  const VDouble square = hn::Mul(s, s);
  VDouble sum = hn::Set(d, 2.0 / 23);
  for (const double coefficient :
       {2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3}) {
    sum = hn::MulAdd(sum, square, hn::Set(d, coefficient));
  }
  const VDouble two_s = hn::Add(s, s);
  const VDouble log_m = hn::MulAdd(hn::Mul(sum, square), s, two_s);
  return hn::MulAdd(e, hn::Set(d, 0.6931471805599453), log_m);
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
