// The kernel matrix of a training set, computed once and shared by every fit on its rows: folds, values of C, inner
// folds of a calibration.
//
// Each entry is what LIBSVM would compute on an x86-64 baseline build, rounded to float as LIBSVM's cache rounds it:
// rbf is exp(-gamma (x.x + z.z - 2 x.z)), every step in double, dot products summed from the first feature on, without
// fused multiply-add. Entries are the same whatever the processor and the number of threads: the vector exponential is
// more exact than a float by far, and where a rounding is near a tie, std::exp decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "features/matrix.h"
#include "learn/float_memory.h"
#include "model/svm.h"

namespace dropscore::learn {

/// A symmetric float matrix [rows x rows]. Immutable between calls of fill(); then safe to read from any thread.
class GramMatrix {
 public:
  /// Above this it is refused: 20,000 rows take 1.6 GB.
  static constexpr std::size_t row_limit = 20'000;
  /// Rows are padded with zeros to a multiple of this many columns.
  static constexpr std::size_t column_block = 64;

  /// Takes memory for `rows` rows, 4 x rows x stride() bytes (6,400 rows: 164 MB), touched only by fill().
  /// Errors: `too_large` (more rows than `limit`), `give_up` (no memory).
  static Result<GramMatrix> allocate(std::size_t rows, std::size_t limit = row_limit);

  /// Computes every entry; what was there before is overwritten, so that one allocation serves one gamma after another.
  /// `gamma` is not used by the linear kernel. REQUIRES: standardized.rows == rows(); nobody reads meanwhile.
  void fill(features::MatrixView<double> standardized, model::Kernel kernel, double gamma, unsigned threads);

  /// out[k] = sum_i coefficients[i] K(x_rows[i], x_targets[k]) - rho, kernel values computed anew in double and
  /// added in the order of `rows`: what LIBSVM predicts, to the last bit. REQUIRES: filled; sizes agree. Thread-safe.
  void decide(std::span<const std::uint32_t> rows, std::span<const double> coefficients, double rho,
              std::span<const std::uint32_t> targets, std::span<double> out) const;

  std::size_t rows() const { return rows_; }
  std::size_t stride() const { return stride_; }  ///< columns of a row with its padding
  /// K(x_i, x_0 .. x_n-1), then zeros up to stride(); 64-byte aligned.
  const float* row(std::size_t index) const { return values_.get() + index * stride_; }
  /// K(x_i, x_i), not rounded to float.
  std::span<const double> diagonal() const { return diagonal_; }

 private:
  GramMatrix() = default;

  std::size_t rows_ = 0;
  std::size_t stride_ = 0;
  FloatMemory values_;
  std::vector<double> diagonal_;
  // Of the last fill():
  std::size_t features_ = 0;
  bool rbf_ = true;
  double gamma_ = 0;
  std::vector<double> transposed_;  ///< feature by feature, then squares; some unused, for alignment
  double* features_begin_ = nullptr;
};

}  // namespace dropscore::learn
