#include "learn/smo_simd.h"

#include <array>
#include <bit>

#include <hwy/cache_control.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "learn/smo_simd.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dropscore::learn::smo::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<double, 8>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

// The set's members among the lanes from bit `first` on.
HWY_INLINE M members(D d, std::uint64_t word, std::size_t first) {
  const std::array<std::uint8_t, 8> bits{static_cast<std::uint8_t>(word >> first)};
  return hn::LoadMaskBits(d, bits.data());
}

HWY_INLINE V widened(D d, const float* from) {
  const hn::Rebind<float, D> df;
  return hn::PromoteTo(d, hn::Load(df, from));
}

// A row comes from far away, and the processor does not look ahead past a page's end by itself.
HWY_INLINE void fetch_ahead(const float* row) {
  constexpr std::size_t ahead = 1024;
  for (std::size_t line = 0; line < block; line += 16) hwy::Prefetch(row + ahead + line);
}

template <bool kStep>
HWY_INLINE Extremes scan_blocks(const Columns& c, const float* row_i, double delta_i, const float* row_j,
                                double delta_j) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const V infinity = hn::Set(d, std::numeric_limits<double>::infinity());
  const V minus_infinity = hn::Neg(infinity);
  const V di = hn::Set(d, delta_i);
  const V dj = hn::Set(d, delta_j);
  V least = infinity;
  V greatest = minus_infinity;
  for (std::size_t b = 0; b < c.columns / block; ++b) {
    const std::uint64_t up = c.up[b];
    const std::uint64_t low = c.low[b];
    V block_least = infinity;
    V block_greatest = minus_infinity;
    if ((up | low) != 0) {
      if constexpr (kStep) fetch_ahead(row_j + b * block);
      for (std::size_t k = 0; k < block; k += lanes) {
        const std::size_t at = b * block + k;
        V score = hn::Load(d, c.scores + at);
        if constexpr (kStep) {
          score = hn::Add(score, hn::Add(hn::Mul(widened(d, row_i + at), di), hn::Mul(widened(d, row_j + at), dj)));
          hn::Store(score, d, c.scores + at);
        }
        block_least = hn::Min(block_least, hn::IfThenElse(members(d, up, k), score, infinity));
        block_greatest = hn::Max(block_greatest, hn::IfThenElse(members(d, low, k), score, minus_infinity));
      }
    }
    hn::Store(block_least, d, c.block_min_up + b * 8);
    hn::Store(block_greatest, d, c.block_max_low + b * 8);
    least = hn::Min(least, block_least);
    greatest = hn::Max(greatest, block_greatest);
  }
  return {hn::GetLane(hn::MinOfLanes(d, least)), hn::GetLane(hn::MaxOfLanes(d, greatest))};
}

Extremes Scan(const Columns& c) { return scan_blocks<false>(c, nullptr, 0, nullptr, 0); }

Extremes Step(const Columns& c, const float* row_i, double delta_i, const float* row_j, double delta_j) {
  return scan_blocks<true>(c, row_i, delta_i, row_j, delta_j);
}

std::uint32_t Find(const Columns& c, const std::uint64_t* set, const double* block_extremes, double value,
                   const std::uint32_t* positions) {
  const D d;
  const V wanted = hn::Set(d, value);
  std::uint32_t found = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t b = 0; b < c.columns / block; ++b) {
    if (hn::AllFalse(d, hn::Eq(hn::Load(d, block_extremes + b * 8), wanted))) continue;
    for (std::uint64_t word = set[b]; word != 0; word &= word - 1) {
      const auto column = static_cast<std::uint32_t>(b * block + static_cast<std::size_t>(std::countr_zero(word)));
      if (c.scores[column] != value) continue;
      if (found == std::numeric_limits<std::uint32_t>::max() || positions[column] > positions[found]) found = column;
    }
  }
  return found;
}

template <bool kEqualDiagonal>
HWY_INLINE Partner search_blocks(const Columns& c, const PartnerSearch& s) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const V greatest = hn::Set(d, s.greatest);
  const V diagonal_i = hn::Set(d, s.diagonal_i);
  const V tiny = hn::Set(d, 1e-12);
  const V two = hn::Set(d, 2.0);
  const V zero = hn::Zero(d);
  constexpr double slack = 1 - 1e-14;  // a quotient's rounding is far smaller
  Partner best;
  V floor = hn::Set(d, s.floor * slack);
  for (std::size_t b = 0; b < c.columns / block; ++b) {
    const std::uint64_t low = c.low[b];
    if (low == 0) continue;
    fetch_ahead(s.row_i + b * block);
    for (std::size_t k = 0; k < block; k += lanes) {
      const std::size_t at = b * block + k;
      const V distance = hn::Add(greatest, hn::Load(d, c.scores + at));
      const V diagonals =
          kEqualDiagonal ? hn::Add(diagonal_i, diagonal_i) : hn::Add(diagonal_i, hn::Load(d, s.diagonal + at));
      V divisor = hn::Sub(diagonals, hn::Mul(two, widened(d, s.row_i + at)));
      divisor = hn::IfThenElse(hn::Gt(divisor, zero), divisor, tiny);
      const V square = hn::Mul(distance, distance);
      // Only what may reach the best gain so far is worth a division.
      const M worth =
          hn::And(hn::And(members(d, low, k), hn::Gt(distance, zero)), hn::Ge(square, hn::Mul(floor, divisor)));
      if (HWY_LIKELY(hn::AllFalse(d, worth))) continue;
      alignas(64) std::array<double, 8> gains{};
      hn::Store(hn::IfThenElse(worth, hn::Div(square, divisor), hn::Set(d, -2.0)), d, gains.data());
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const auto column = static_cast<std::uint32_t>(at + lane);
        if (gains[lane] > best.gain || (gains[lane] == best.gain && s.positions[column] > s.positions[best.column])) {
          best = {gains[lane], column};
        }
      }
      floor = hn::Max(floor, hn::Set(d, best.gain * slack));
    }
  }
  return best;
}

Partner FindPartner(const Columns& c, const PartnerSearch& s) {
  return s.diagonal == nullptr ? search_blocks<true>(c, s) : search_blocks<false>(c, s);
}

void AddRows(double* sums, std::size_t columns, const std::uint64_t* set, const float* const* rows, const double* c,
             std::size_t count) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const V c0 = hn::Set(d, c[r]);
    const V c1 = hn::Set(d, c[r + 1]);
    const V c2 = hn::Set(d, c[r + 2]);
    const V c3 = hn::Set(d, c[r + 3]);
    for (std::size_t b = 0; b < columns / block; ++b) {
      if (set[b] == 0) continue;
      for (std::size_t at = b * block; at < (b + 1) * block; at += lanes) {
        V sum = hn::Load(d, sums + at);
        sum = hn::Add(sum, hn::Mul(c0, widened(d, rows[r] + at)));
        sum = hn::Add(sum, hn::Mul(c1, widened(d, rows[r + 1] + at)));
        sum = hn::Add(sum, hn::Mul(c2, widened(d, rows[r + 2] + at)));
        sum = hn::Add(sum, hn::Mul(c3, widened(d, rows[r + 3] + at)));
        hn::Store(sum, d, sums + at);
      }
    }
  }
  for (; r < count; ++r) {
    const V c0 = hn::Set(d, c[r]);
    for (std::size_t b = 0; b < columns / block; ++b) {
      if (set[b] == 0) continue;
      for (std::size_t at = b * block; at < (b + 1) * block; at += lanes) {
        hn::Store(hn::Add(hn::Load(d, sums + at), hn::Mul(c0, widened(d, rows[r] + at))), d, sums + at);
      }
    }
  }
}

}  // namespace dropscore::learn::smo::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::learn::smo {

HWY_EXPORT(Scan);
HWY_EXPORT(Step);
HWY_EXPORT(Find);
HWY_EXPORT(FindPartner);
HWY_EXPORT(AddRows);

Extremes scan(const Columns& columns) { return HWY_DYNAMIC_DISPATCH(Scan)(columns); }

Extremes step(const Columns& columns, const float* row_i, double delta_i, const float* row_j, double delta_j) {
  return HWY_DYNAMIC_DISPATCH(Step)(columns, row_i, delta_i, row_j, delta_j);
}

std::uint32_t find(const Columns& columns, const std::uint64_t* set, const double* block_extremes, double value,
                   const std::uint32_t* positions) {
  return HWY_DYNAMIC_DISPATCH(Find)(columns, set, block_extremes, value, positions);
}

Partner find_partner(const Columns& columns, const PartnerSearch& search) {
  return HWY_DYNAMIC_DISPATCH(FindPartner)(columns, search);
}

void add_rows(double* sums, std::size_t columns, const std::uint64_t* set, const float* const* rows, const double* c,
              std::size_t count) {
  HWY_DYNAMIC_DISPATCH(AddRows)(sums, columns, set, rows, c, count);
}

}  // namespace dropscore::learn::smo
#endif
