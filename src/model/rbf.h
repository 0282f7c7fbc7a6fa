// A radial support vector machine in single precision with the error of double: Svm::decide of floats. Private to the
// room; docs/decisions/0013-scoring-kernels.md has the derivation and what was measured.
#pragma once

#include <span>

#include "features/matrix.h"
#include "model/aligned.h"
#include "model/packed_standardizer.h"
#include "model/rbf_simd.h"

namespace dropscore::model {

struct SvmForm;

// Kernel values lie close together and their coefficients add up to 0, so that a plain sum of floats loses most of its
// digits. With a = gamma |s|^2, b = gamma |x|^2, u = 2 gamma x.s the kernel is exp(-a) exp(-b) exp(u), and exp(u) =
// 1 + u + u^2 / 2 + (the rest): over all support vectors, the 1s add up to a constant, the us to a scalar product with
// x and the squares to a quadratic form of x, all known in double beforehand. Only the rest, which is small, is
// computed in float. Rows for which it would not be small are decided in double throughout, at a third of the speed.
//
// Immutable, thread-safe. A row's value depends on the processor's registers but not on the rows around it.
class RbfKernel {
 public:
  /// REQUIRES: form.parameters.kernel is rbf. The form need not outlive it.
  explicit RbfKernel(const SvmForm& form);
  /// REQUIRES: rows.columns is the form's, out.size() == rows.rows.
  void decide(features::MatrixView<float> rows, std::span<double> out) const;

 private:
  void pack_singles(const SvmForm& form, std::span<const std::size_t> order);

  PackedStandardizer standardizer_;
  AlignedVector<double> vectors_;
  AlignedVector<double> coefficients_;
  AlignedVector<float> scaled_;
  AlignedVector<float> weights_;
  AlignedVector<double> slope_;
  AlignedVector<double> curve_;
  RbfTables tables_;
};

}  // namespace dropscore::model
