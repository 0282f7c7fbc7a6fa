#include "learn/gram_simd.h"

#include <array>
#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "learn/gram_simd.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dropscore::learn::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<double, 8>;
using V = hn::Vec<D>;

// exp(x) for x in [-88, 1], relative error below 2^-41 (Taylor's series up to r^10 / 10!, |r| <= ln 2 / 2).
HWY_INLINE V near_exp(D d, V x) {
  // Adding 1.5 * 2^52 rounds x / ln 2 to a whole number k and leaves k in the lowest bits.
  const V magic = hn::Set(d, 6755399441055744.0);
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.4426950408889634), magic);
  const V k = hn::Sub(shifted, magic);
  // ln 2 in two parts; k times the first is exact.
  const V r = hn::NegMulAdd(k, hn::Set(d, 1.90821492927058770002e-10),
                            hn::NegMulAdd(k, hn::Set(d, 6.93147180369123816490e-01), x));
  V sum = hn::Set(d, 1.0 / 3628800);
  for (const double coefficient :
       {1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0}) {
    sum = hn::MulAdd(sum, r, hn::Set(d, coefficient));
  }
  const hn::RebindToUnsigned<D> du;
  const auto scale = hn::Add(hn::ShiftLeft<52>(hn::BitCast(du, shifted)), hn::Set(du, std::uint64_t{1023} << 52U));
  return hn::Mul(sum, hn::BitCast(d, scale));
}

// out[0, lanes) = float(exp(x)), as rounding the exact value would give it.
void store_exp(D d, V x, float* out) {
  const hn::Rebind<float, D> df;
  const hn::RebindToUnsigned<D> du;
  // Below -104 the nearest float is 0, above -87.3 it is a normal one; in between std::exp decides.
  const V clamped = hn::Max(x, hn::Set(d, -88.0));
  const V value = near_exp(d, clamped);
  const auto kept = hn::Ge(x, hn::Set(d, -87.0));
  hn::StoreU(hn::DemoteTo(df, hn::IfThenElseZero(kept, value)), df, out);
  // Of a double's 52 fraction bits a float drops 29: near their middle the vector's small error could round wrongly.
  const auto dropped = hn::And(hn::BitCast(du, value), hn::Set(du, (std::uint64_t{1} << 29U) - 1));
  constexpr std::uint64_t margin = 1U << 12U;
  const auto from_middle = hn::Sub(dropped, hn::Set(du, (std::uint64_t{1} << 28U) - margin));
  const auto near_tie = hn::RebindMask(d, hn::Eq(hn::ShiftRight<13>(from_middle), hn::Zero(du)));
  const auto unsure = hn::Or(near_tie, hn::And(hn::Not(kept), hn::Ge(x, hn::Set(d, -104.0))));
  if (hn::AllFalse(d, unsure)) return;
  alignas(64) std::array<double, 8> exponents{};
  std::array<std::uint8_t, 8> bits{};
  hn::Store(x, d, exponents.data());
  hn::StoreMaskBits(d, unsure, bits.data());
  for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) {
    if ((bits[0] >> lane & 1U) != 0) out[lane] = static_cast<float>(std::exp(exponents[lane]));
  }
}

template <std::size_t kRows>
void fill_rows(const GramTile& tile, std::size_t first, float* out) {
  const D d;
  const hn::Rebind<float, D> df;
  const std::size_t lanes = hn::Lanes(d);
  const V two = hn::Set(d, 2.0);
  const V minus_gamma = hn::Set(d, -tile.gamma);
  for (std::size_t j = 0; j < gram_tile; j += lanes) {
    V dot[kRows];  // NOLINT(modernize-avoid-c-arrays): vector registers
    for (std::size_t i = 0; i < kRows; ++i) dot[i] = hn::Zero(d);
    for (std::size_t f = 0; f < tile.features; ++f) {
      const double* feature = tile.transposed + f * tile.stride;
      const V column = hn::Load(d, feature + tile.column + j);
      for (std::size_t i = 0; i < kRows; ++i) {
        dot[i] = hn::Add(dot[i], hn::Mul(hn::Set(d, feature[tile.row + first + i]), column));
      }
    }
    for (std::size_t i = 0; i < kRows; ++i) {
      float* place = out + (first + i) * gram_tile + j;
      if (tile.rbf) {
        const V squares =
            hn::Add(hn::Set(d, tile.squares[tile.row + first + i]), hn::Load(d, tile.squares + tile.column + j));
        store_exp(d, hn::Mul(minus_gamma, hn::Sub(squares, hn::Mul(two, dot[i]))), place);
      } else {
        hn::StoreU(hn::DemoteTo(df, dot[i]), df, place);
      }
    }
  }
}

void FillGramTile(const GramTile& tile, float* out) {
  for (std::size_t i = 0; i < gram_tile; i += 8) fill_rows<8>(tile, i, out);
}

void AddDecisions(const PointTile& tile, std::span<const std::uint32_t> rows, std::span<const double> coefficients,
                  double* sums) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr std::size_t group = 4;
  alignas(64) std::array<double, gram_tile> kernel{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < gram_tile; j += group * lanes) {
      V sum[group];  // NOLINT(modernize-avoid-c-arrays): vector registers
      for (V& one : sum) one = hn::Zero(d);
      for (std::size_t f = 0; f < tile.features; ++f) {
        const V feature = hn::Set(d, tile.vectors[f * tile.stride + rows[i]]);
        for (std::size_t g = 0; g < group; ++g) {
          const V point = hn::Load(d, tile.points + f * gram_tile + j + g * lanes);
          const V difference = hn::Sub(point, feature);
          sum[g] = hn::Add(sum[g], tile.rbf ? hn::Mul(difference, difference) : hn::Mul(point, feature));
        }
      }
      for (std::size_t g = 0; g < group; ++g) hn::Store(sum[g], d, kernel.data() + j + g * lanes);
    }
    for (std::size_t j = 0; j < gram_tile; ++j) {
      sums[j] += coefficients[i] * (tile.rbf ? std::exp(-tile.gamma * kernel[j]) : kernel[j]);
    }
  }
}

}  // namespace dropscore::learn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::learn {

HWY_EXPORT(FillGramTile);
HWY_EXPORT(AddDecisions);

void fill_gram_tile(const GramTile& tile, float* out) { HWY_DYNAMIC_DISPATCH(FillGramTile)(tile, out); }

void add_decisions(const PointTile& tile, std::span<const std::uint32_t> rows, std::span<const double> coefficients,
                   double* sums) {
  HWY_DYNAMIC_DISPATCH(AddDecisions)(tile, rows, coefficients, sums);
}

}  // namespace dropscore::learn
#endif
