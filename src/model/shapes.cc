#include "model/shapes.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/shapes.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "model/simd-inl.h"

// Once, not for each target.
#ifndef DROPSCORE_MODEL_SHAPES_CONSTANTS_
#define DROPSCORE_MODEL_SHAPES_CONSTANTS_
namespace dropscore::model {
/// Rows of a block: a column of them lies on the stack.
inline constexpr std::size_t shape_rows = 64;
/// Up to this many cuts are compared one after the other; more are searched by halving.
inline constexpr std::size_t most_scanned = 48;
}  // namespace dropscore::model
#endif

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Registers that go through a table together.
constexpr std::size_t side = 4;

// sums[r] += shape(x[r]) for `side` registers of rows.
template <bool kSloped>
HWY_INLINE void add_scanned(const Shape& shape, const float* x, double* sums) {
  const Doubles d;
  const hn::Rebind<float, Doubles> df;
  const std::size_t lanes = hn::Lanes(d);
  VDouble at[side];  // NOLINT(modernize-avoid-c-arrays): vector registers, here and below
  VDouble value[side];
  VDouble slope[side];
  VDouble start[side];
  for_each<side>([&](auto v) HWY_ATTR {
    at[v] = hn::PromoteTo(d, hn::LoadU(df, x + v * lanes));
    value[v] = hn::Set(d, shape.values[0]);
    slope[v] = start[v] = hn::Zero(d);
  });
  for (std::size_t k = 0; k < shape.cuts.size(); ++k) {
    const VDouble cut = hn::Set(d, shape.cuts[k]);
    const VDouble next = hn::Set(d, shape.values[k + 1]);
    const VDouble steeper = hn::Set(d, kSloped ? shape.slopes[k + 1] : 0.0);
    const VDouble here = hn::Set(d, kSloped ? shape.starts[k] : 0.0);
    for_each<side>([&](auto v) HWY_ATTR {
      const auto above = hn::Ge(at[v], cut);
      value[v] = hn::IfThenElse(above, next, value[v]);
      if constexpr (kSloped) {
        slope[v] = hn::IfThenElse(above, steeper, slope[v]);
        start[v] = hn::IfThenElse(above, here, start[v]);
      }
    });
  }
  const VDouble missing = hn::Set(d, shape.missing);
  for_each<side>([&](auto v) HWY_ATTR {
    VDouble part = value[v];
    if constexpr (kSloped) {
      const VDouble along = hn::Max(hn::Zero(d), hn::Sub(at[v], start[v]));
      const auto level = hn::Eq(slope[v], hn::Zero(d));
      part = hn::IfThenElse(level, part, hn::Add(part, hn::Mul(slope[v], along)));
    }
    part = hn::IfThenElse(hn::Eq(at[v], at[v]), part, missing);
    hn::StoreU(hn::Add(hn::LoadU(d, sums + v * lanes), part), d, sums + v * lanes);
  });
}

// sums[r] += shape(x[r]) by halving: the steps do not depend on x.
HWY_INLINE void add_searched(const Shape& shape, const float* x, std::size_t count, double* sums) {
  for (std::size_t r = 0; r < count; ++r) {
    const auto value = static_cast<double>(x[r]);
    std::size_t bin = 0;
    for (std::size_t left = shape.cuts.size(); left > 0;) {
      const std::size_t half = (left + 1) / 2;
      bin += value >= shape.cuts[bin + half - 1] ? half : 0;
      left -= half;
    }
    double part = shape.values[bin];
    if (!shape.slopes.empty() && shape.slopes[bin] != 0) {
      part += shape.slopes[bin] * std::max(0.0, value - shape.starts[bin - 1]);
    }
    sums[r] += std::isnan(value) ? shape.missing : part;
  }
}

void SumShapes(double intercept, std::span<const Shape> shapes, features::MatrixView<float> rows, double* out) {
  const std::size_t step = side * hn::Lanes(Doubles());
  for (std::size_t block = 0; block < rows.rows; block += shape_rows) {
    const std::size_t count = std::min(shape_rows, rows.rows - block);
    HWY_ALIGN std::array<double, shape_rows> sums;
    HWY_ALIGN std::array<float, shape_rows> x{};
    sums.fill(intercept);
    for (const Shape& shape : shapes) {
      const float* from = rows.data + block * rows.columns + shape.column;
      for (std::size_t r = 0; r < count; ++r) x[r] = from[r * rows.columns];
      if (shape.cuts.size() > most_scanned) {
        add_searched(shape, x.data(), count, sums.data());
        continue;
      }
      for (std::size_t first = 0; first < count; first += step) {
        if (shape.slopes.empty()) {
          add_scanned<false>(shape, x.data() + first, sums.data() + first);
        } else {
          add_scanned<true>(shape, x.data() + first, sums.data() + first);
        }
      }
    }
    std::copy_n(sums.begin(), count, out + block);
  }
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::model {

HWY_EXPORT(SumShapes);

ShapeKernel::ShapeKernel(double intercept, std::vector<Shape> shapes)
    : intercept_(intercept), shapes_(std::move(shapes)) {}

void ShapeKernel::sum(features::MatrixView<float> rows, std::span<double> out) const {
  assert(out.size() == rows.rows);
  HWY_DYNAMIC_DISPATCH(SumShapes)(intercept_, shapes_, rows, out.data());
}

}  // namespace dropscore::model
#endif
