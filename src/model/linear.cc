#include "model/linear.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/linear.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "model/standardize_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dropscore::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void DecideLinear(const StandardizerTables& t, const double* coefficients, double intercept, const float* rows,
                  std::span<double> out) {
  const Doubles d;
  for (double& value : out) {
    VDouble sum = hn::Zero(d);
    for (std::size_t column = 0; column < t.padded; column += hn::Lanes(d)) {
      sum = hn::MulAdd(standardized(d, t, rows, column), hn::Load(d, coefficients + column), sum);
    }
    value = intercept + hn::GetLane(hn::SumOfLanes(d, sum));
    rows += t.features;
  }
}

}  // namespace dropscore::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::model {

HWY_EXPORT(DecideLinear);

LinearKernel::LinearKernel(const Standardizer& standardizer, std::span<const double> coefficients, double intercept)
    : standardizer_(standardizer), coefficients_(standardizer_.tables().padded, 0.0), intercept_(intercept) {
  std::copy(coefficients.begin(), coefficients.end(), coefficients_.begin());
}

void LinearKernel::decide(features::MatrixView<float> rows, std::span<double> out) const {
  HWY_DYNAMIC_DISPATCH(DecideLinear)(standardizer_.tables(), coefficients_.data(), intercept_, rows.data, out);
}

}  // namespace dropscore::model
#endif
