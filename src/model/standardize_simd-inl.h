// Standardizer::apply for the columns of one row, a register at a time. Included once for each target.
#if defined(DROPSCORE_MODEL_STANDARDIZE_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DROPSCORE_MODEL_STANDARDIZE_SIMD_INL_H_
#undef DROPSCORE_MODEL_STANDARDIZE_SIMD_INL_H_
#else
#define DROPSCORE_MODEL_STANDARDIZE_SIMD_INL_H_
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "model/packed_standardizer.h"
#include "model/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Columns [column, column + lanes) of a row that ends at t.features; 0 past its end.
HWY_INLINE VDouble standardized(Doubles d, const StandardizerTables& t, const float* row, std::size_t column) {
  const hn::Rebind<float, Doubles> df;
  VDouble raw;
  if (column + hn::Lanes(d) <= t.features) {
    raw = hn::PromoteTo(d, hn::LoadU(df, row + column));
  } else {
    HWY_ALIGN float rest[column_step] = {};  // NOLINT(modernize-avoid-c-arrays): alignment by macro
    for (std::size_t j = column; j < t.features; ++j) rest[j - column] = row[j];
    raw = hn::PromoteTo(d, hn::Load(df, rest));
  }
  // NaN is not at least anything.
  const auto present = hn::Ge(raw, hn::Load(d, t.lowest + column));
  const VDouble value = hn::IfThenElse(present, raw, hn::Load(d, t.fill + column));
  const VDouble scaled = hn::Mul(hn::Sub(value, hn::Load(d, t.mean + column)), hn::Load(d, t.inverse + column));
  const VDouble bound = hn::Set(d, Standardizer::bound);
  return hn::Min(hn::Max(scaled, hn::Neg(bound)), bound);
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
