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
  double* HWY_RESTRICT scores = c.scores;
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
        V score = hn::Load(d, scores + at);
        if constexpr (kStep) {
          score = hn::Add(score, hn::Add(hn::Mul(widened(d, row_i + at), di), hn::Mul(widened(d, row_j + at), dj)));
          hn::Store(score, d, scores + at);
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

// The arithmetic of find_partner() for the lanes from column `at` on.
template <bool kEqualDiagonal>
class Gains {
 public:
  Gains(const Columns& columns, const PartnerSearch& search)
      : scores_(columns.scores),
        low_(columns.low),
        row_i_(search.row_i),
        diagonal_(search.diagonal),
        greatest_(hn::Set(D(), search.greatest)),
        diagonal_i_(hn::Set(D(), search.diagonal_i)) {}

  // Lanes that may reach `floor` >= 0, and perhaps a few more: only they are worth a division. Below 0 a distance
  // counts as 0, and a divisor that is not positive lets its lane pass.
  HWY_INLINE M worth(std::size_t at, V floor) const {
    const D d;
    const V away = distance(at);
    return hn::And(members(d, low_[at / block], at % block),
                   hn::Ge(hn::Mul(away, hn::Max(away, hn::Zero(d))), hn::Mul(floor, divisor(at))));
  }

  // Each lane's gain, or -2.
  HWY_INLINE V exact(std::size_t at) const {
    const D d;
    const V away = distance(at);
    const V by = divisor(at);
    const V gain = hn::Div(hn::Mul(away, away), hn::IfThenElse(hn::Gt(by, hn::Zero(d)), by, hn::Set(d, 1e-12)));
    const M counts = hn::And(members(d, low_[at / block], at % block), hn::Gt(away, hn::Zero(d)));
    return hn::IfThenElse(counts, gain, hn::Set(d, -2.0));
  }

 private:
  HWY_INLINE V distance(std::size_t at) const { return hn::Add(greatest_, hn::Load(D(), scores_ + at)); }
  HWY_INLINE V divisor(std::size_t at) const {
    const D d;
    const V diagonals = hn::Add(diagonal_i_, kEqualDiagonal ? diagonal_i_ : hn::Load(d, diagonal_ + at));
    const V kernel = widened(d, row_i_ + at);
    return hn::Sub(diagonals, hn::Add(kernel, kernel));
  }

  const double* scores_;
  const std::uint64_t* low_;
  const float* row_i_;
  const double* diagonal_;
  V greatest_;
  V diagonal_i_;
};

template <bool kEqualDiagonal>
HWY_INLINE Partner search_blocks(const Columns& c, const PartnerSearch& s) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr double slack = 1 - 1e-14;  // a quotient's rounding is far smaller
  const Gains<kEqualDiagonal> gains(c, s);
  Partner best;
  V floor = hn::Set(d, s.floor * slack);
  for (std::size_t b = 0; b < c.columns / block; ++b) {
    if (c.low[b] == 0) continue;
    fetch_ahead(s.row_i + b * block);
    for (std::size_t group = b * block; group < (b + 1) * block; group += 4 * lanes) {
      const M any = hn::Or(hn::Or(gains.worth(group, floor), gains.worth(group + lanes, floor)),
                           hn::Or(gains.worth(group + 2 * lanes, floor), gains.worth(group + 3 * lanes, floor)));
      if (HWY_LIKELY(hn::AllFalse(d, any))) continue;
      for (std::size_t at = group; at < group + 4 * lanes; at += lanes) {
        alignas(64) std::array<double, 8> exact{};
        hn::Store(gains.exact(at), d, exact.data());
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          const auto column = static_cast<std::uint32_t>(at + lane);
          if (exact[lane] > best.gain || (exact[lane] == best.gain && s.positions[column] > s.positions[best.column])) {
            best = {exact[lane], column};
          }
        }
        floor = hn::Max(floor, hn::Set(d, best.gain * slack));
      }
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
      for (std::size_t row = r; row < r + 4; ++row) fetch_ahead(rows[row] + b * block);
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

void gather_row(const float* from, const std::uint32_t* columns, std::size_t count, float* to) {
  constexpr std::size_t ahead = 192;
  std::size_t k = 0;
  for (; k + ahead + 4 <= count; k += 4) {
    hwy::Prefetch(from + columns[k + ahead]);
    for (std::size_t i = k; i < k + 4; ++i) to[i] = from[columns[i]];
  }
  for (; k < count; ++k) to[k] = from[columns[k]];
}

}  // namespace dropscore::learn::smo
#endif
