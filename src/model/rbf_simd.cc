#include "model/rbf_simd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/rbf_simd.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "model/simd-inl.h"
#include "model/standardize_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Panels of one block stay in the first-level cache while all rows pass by.
constexpr std::size_t block_bytes = 16384;

// Rows that share each load of a support vector: as many as there are registers for their sums; and, for one row alone,
// the registers that are under way at a time. No answer depends on either.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Instrumented, longer unrolled loops would take the compiler minutes.
constexpr std::size_t most_rows = 2;
constexpr std::size_t alone = 2;
#elif HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t most_rows = 8;
constexpr std::size_t alone = 8;
#else
constexpr std::size_t most_rows = 4;
constexpr std::size_t alone = 8;
#endif

// The two cores for single precision accumulate u over the features, then add w u^3 p(u), p(u) being
// (e^u - 1 - u - u^2 / 2) / u^3 by Chebyshev interpolation, over rest_scale. Here |u| <= 1 and the power is the fifth,
// off by less than 1.1e-7 before the scale. Its upper four powers are in Knuth's form (The Art of Computer Programming,
// 4.6.4): two products and three sums, which processors with adders of their own take in beside the products.
struct Near {
  using T = float;
  using D = hn::CappedTag<float, rbf_lanes>;
  using V = hn::Vec<D>;

  static HWY_INLINE V step(V u, V x, V s) { return hn::MulAdd(x, s, u); }
  static HWY_INLINE V add(V sum, V weight, V u) {
    const D d;
    const V y = hn::MulAdd(u, hn::Add(u, hn::Set(d, 3.51667309F)), hn::Set(d, 192.584531F));
    const V z = hn::MulAdd(y, hn::Add(hn::Add(y, u), hn::Set(d, -345.984705F)), hn::Set(d, 31194.7279F));
    const V p = hn::MulAdd(u, z, hn::Set(d, 6608.91144F));
    return hn::MulAdd(hn::Mul(weight, u), hn::Mul(hn::Mul(u, u), p), sum);
  }
};

// |u| <= 4, the eleventh power: off by less than 2e-8.
struct Middle {
  using T = float;
  using D = Near::D;
  using V = Near::V;

  static HWY_INLINE V step(V u, V x, V s) { return hn::MulAdd(x, s, u); }
  static HWY_INLINE V add(V sum, V weight, V u) {
    const D d;
    V p = hn::Set(d, 1.40048077e-11F / rest_scale);
    for (const float power :
         {2.01646685e-10F, 2.04062256e-09F, 2.42868996e-08F, 2.75969256e-07F, 2.76218407e-06F, 2.48000906e-05F,
          0.000198388298F, 0.0013888909F, 0.0083333673F, 0.0416666679F, 0.166666657F}) {
      p = hn::MulAdd(p, u, hn::Set(d, power / rest_scale));
    }
    return hn::MulAdd(hn::Mul(weight, u), hn::Mul(hn::Mul(u, u), p), sum);
  }
};

// The formula as it stands: accumulate |x - s|^2, then add c exp(-gamma |x - s|^2).
struct Far {
  using T = double;
  using D = Doubles;
  using V = VDouble;
  double minus_gamma;

  static HWY_INLINE V step(V distance, V x, V s) {
    const V difference = hn::Sub(x, s);
    return hn::MulAdd(difference, difference, distance);
  }
  HWY_INLINE V add(V sum, V weight, V distance) const {
    const D d;
    return hn::MulAdd(weight, exp_of(d, hn::Mul(hn::Set(d, minus_gamma), distance)), sum);
  }
};

// Lane by lane in double.
HWY_INLINE void add_lanes(Doubles d, VDouble sum, double* sums) { hn::Store(hn::Add(hn::Load(d, sums), sum), d, sums); }
HWY_INLINE void add_lanes(hn::CappedTag<float, rbf_lanes> d, hn::Vec<hn::CappedTag<float, rbf_lanes>> sum,
                          double* sums) {
  const Doubles dd;
  const hn::Rebind<float, Doubles> df;
  HWY_ALIGN float lanes[rbf_lanes];  // NOLINT(modernize-avoid-c-arrays): alignment by macro
  hn::Store(sum, d, lanes);
  for (std::size_t lane = 0; lane < hn::Lanes(d); lane += hn::Lanes(dd)) {
    add_lanes(dd, hn::PromoteTo(dd, hn::Load(df, lanes + lane)), sums + lane);
  }
}

// kRows rows, x[features x kRows], against a block of panels. Every row's sum takes the support vectors in one order,
// whatever kRows is.
template <std::size_t kRows, class Core>
void add_block(const Core& core, const typename Core::T* x, const typename Core::T* vectors,
               const typename Core::T* weights, std::size_t features, std::size_t panels, double* sums) {
  using V = typename Core::V;
  const typename Core::D d;
  const std::size_t lanes = hn::Lanes(d);
  // One row alone needs more sums under way to hide what an addition waits for.
  constexpr std::size_t side =
      std::min<std::size_t>(kRows == 1 ? alone : 2, panel_vectors / hn::MaxLanes(typename Core::D()));
  V sum[kRows];  // NOLINT(modernize-avoid-c-arrays): vector registers, here and below
  for_each<kRows>([&](auto r) HWY_ATTR { sum[r] = hn::Zero(d); });
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const typename Core::T* at = vectors + panel * features * panel_vectors;
    for (std::size_t k = 0; k < panel_vectors; k += side * lanes) {
      V part[kRows * side];
      for_each<kRows * side>([&](auto i) HWY_ATTR { part[i] = hn::Zero(d); });
      for (std::size_t f = 0; f < features; ++f) {
        V vector[side];
        for_each<side>([&](auto s) HWY_ATTR { vector[s] = hn::Load(d, at + f * panel_vectors + k + s * lanes); });
        for_each<kRows>([&](auto r) HWY_ATTR {
          const V value = hn::Set(d, x[f * kRows + r]);
          for_each<side>([&](auto s)
                             HWY_ATTR { part[r * side + s] = Core::step(part[r * side + s], value, vector[s]); });
        });
      }
      for_each<side>([&](auto s) HWY_ATTR {
        const V weight = hn::Load(d, weights + panel * panel_vectors + k + s * lanes);
        for_each<kRows>([&](auto r) HWY_ATTR { sum[r] = core.add(sum[r], weight, part[r * side + s]); });
      });
    }
  }
  for_each<kRows>([&](auto r) HWY_ATTR { add_lanes(d, sum[r], sums + r * rbf_lanes); });
}

// add_block() for `rows`, a power of 2 and at most kRows.
template <std::size_t kRows, class Core, class... Arguments>
void add_rows(std::size_t rows, const Core& core, Arguments... arguments) {
  if (rows == kRows) {
    add_block<kRows>(core, arguments...);
  } else if constexpr (kRows > 1) {
    add_rows<kRows / 2>(rows, core, arguments...);
  }
}

// Groups of rows: as many of most_rows as there are, then one each of the smaller powers of 2.
inline std::size_t group_rows(std::size_t left) {
  std::size_t rows = most_rows;
  while (rows > left) rows /= 2;
  return rows;
}

// The sums over all support vectors for the rows `chosen` of scratch.x.
template <class Core>
void add_all(const Core& core, const RbfTables& t, const typename Core::T* vectors, const typename Core::T* weights,
             const std::uint8_t* chosen, std::size_t count, const RbfScratch& scratch, typename Core::T* packed) {
  using T = typename Core::T;
  const std::size_t features = t.standardizer.features;
  for (std::size_t first = 0; first < count;) {
    const std::size_t rows = group_rows(count - first);
    for (std::size_t r = 0; r < rows; ++r) {
      const double* x = scratch.x + chosen[first + r] * t.standardizer.padded;
      for (std::size_t f = 0; f < features; ++f) packed[first * features + f * rows + r] = static_cast<T>(x[f]);
    }
    first += rows;
  }
  std::fill(scratch.sums, scratch.sums + count * rbf_lanes, 0.0);
  const std::size_t panel_size = features * panel_vectors;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a model without a feature is refused when it is read
  const std::size_t step = std::max<std::size_t>(1, block_bytes / (panel_size * sizeof(T)));
  for (std::size_t panel = 0; panel < t.panels; panel += step) {
    const std::size_t panels = std::min(step, t.panels - panel);
    const T* block = vectors + panel * panel_size;
    const T* block_weights = weights + panel * panel_vectors;
    for (std::size_t first = 0; first < count;) {
      const std::size_t rows = group_rows(count - first);
      const T* x = packed + first * features;
      double* sums = scratch.sums + first * rbf_lanes;
      add_rows<most_rows>(rows, core, x, block, block_weights, features, panels, sums);
      first += rows;
    }
  }
}

inline double total(const double* sums) {
  double sum = 0;
  for (std::size_t lane = 0; lane < rbf_lanes; ++lane) sum += sums[lane];
  return sum;
}

// Standardizes a row into x; returns |x|^2.
HWY_INLINE double prepare(const StandardizerTables& t, const float* row, double* x) {
  const Doubles d;
  VDouble squared = hn::Zero(d);
  for (std::size_t column = 0; column < t.padded; column += hn::Lanes(d)) {
    const VDouble value = standardized(d, t, row, column);
    squared = hn::MulAdd(value, value, squared);
    hn::Store(value, d, x + column);
  }
  return hn::GetLane(hn::SumOfLanes(d, squared));
}

// constant + slope.x + x'curve x.
HWY_INLINE double closed_part(const RbfTables& t, const double* x) {
  const Doubles d;
  const std::size_t padded = t.standardizer.padded;
  VDouble sum = hn::Zero(d);
  for (std::size_t column = 0; column < padded; column += hn::Lanes(d)) {
    VDouble bend = hn::Load(d, t.slope + column);
    for (std::size_t j = 0; j < t.standardizer.features; ++j) {
      bend = hn::MulAdd(hn::Set(d, x[j]), hn::Load(d, t.curve + j * padded + column), bend);
    }
    sum = hn::MulAdd(bend, hn::Load(d, x + column), sum);
  }
  return t.constant + hn::GetLane(hn::SumOfLanes(d, sum));
}

void DecideBlock(const RbfTables& t, const float* rows, std::size_t count, double* out, const RbfScratch& scratch) {
  std::array<std::uint8_t, rbf_block_rows> near{};
  std::array<std::uint8_t, rbf_block_rows> middle{};
  std::array<std::uint8_t, rbf_block_rows> far{};
  std::array<double, rbf_block_rows> squared{};
  std::size_t nears = 0;
  std::size_t middles = 0;
  std::size_t fars = 0;
  for (std::size_t r = 0; r < count; ++r) {
    squared[r] = prepare(t.standardizer, rows + r * t.standardizer.features, scratch.x + r * t.standardizer.padded);
    const double farthest = t.reach * std::sqrt(squared[r]);
    const auto position = static_cast<std::uint8_t>(r);
    if (!(farthest <= t.near_limit)) {
      far[fars++] = position;
    } else if (farthest <= 1) {
      near[nears++] = position;
    } else {
      middle[middles++] = position;
    }
  }
  const auto close = [&](const std::uint8_t* chosen, std::size_t many) {
    for (std::size_t i = 0; i < many; ++i) {
      const std::size_t r = chosen[i];
      const double sum = closed_part(t, scratch.x + r * t.standardizer.padded) + total(scratch.sums + i * rbf_lanes);
      out[r] = std::exp(-t.gamma * squared[r]) * sum - t.rho;
    }
  };
  if (nears > 0) {
    add_all(Near(), t, t.scaled, t.weights, near.data(), nears, scratch, scratch.singles);
    close(near.data(), nears);
  }
  if (middles > 0) {
    add_all(Middle(), t, t.scaled, t.weights, middle.data(), middles, scratch, scratch.singles);
    close(middle.data(), middles);
  }
  if (fars > 0) {
    add_all(Far{-t.gamma}, t, t.vectors, t.coefficients, far.data(), fars, scratch, scratch.doubles);
    for (std::size_t i = 0; i < fars; ++i) out[far[i]] = total(scratch.sums + i * rbf_lanes) - t.rho;
  }
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::model {

HWY_EXPORT(DecideBlock);

void decide_rbf(const RbfTables& t, const float* rows, std::size_t count, double* out, const RbfScratch& scratch) {
  for (std::size_t first = 0; first < count; first += rbf_block_rows) {
    HWY_DYNAMIC_DISPATCH(DecideBlock)
    (t, rows + first * t.standardizer.features, std::min(rbf_block_rows, count - first), out + first, scratch);
  }
}

}  // namespace dropscore::model
#endif
