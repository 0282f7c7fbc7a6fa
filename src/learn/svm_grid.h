// Cross-validated F1 of a support vector machine at every point of a grid of C, gamma and kernel.
//
// One kernel matrix serves all points of one gamma, and all folds; it is filled anew for the next gamma. The rbf points
// are solved as LIBSVM solves them, step for step, so their decisions are scikit-learn's (kernel values of held-out
// rows are rounded to float: a decision within about 1e-5 of 0 may differ). The linear points are solved to the optimum
// by an interior point method, once for each C, whatever gamma is.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "features/matrix.h"
#include "model/svm.h"

namespace dropscore::learn {

struct SvmGridProblem {
  features::MatrixView<double> rows;             ///< standardized, at most GramMatrix::row_limit of them
  std::span<const std::uint8_t> labels;          ///< 0 or 1, [rows]
  std::span<const std::uint32_t> fold_of_row;    ///< as metrics::stratified_folds gives it, [rows]
  std::span<const model::SvmParameters> points;  ///< in any order; gamma is not looked at where the kernel is linear
};

struct SvmGridOptions {
  double tolerance = 1e-3;  ///< of the rbf points; scikit-learn's
  unsigned threads = 1;
  /// Called after each of `total` fits, from any thread, never twice at a time; may be empty.
  std::function<void(std::size_t done, std::size_t total)> progress;
  std::function<bool()> stop_requested;  ///< asked now and then, from any thread; may be empty
};

struct SvmGridScore {
  model::SvmParameters point;
  std::vector<double> fold_f1;   ///< F1 of class 1 on each fold's held-out rows, decided by the decision value's sign
  double mean_f1 = 0;            ///< over folds
  std::uint64_t iterations = 0;  ///< over folds; rbf: of SMO, linear: interior point steps
};

/// Scores in the order of problem.points. The same bit for bit whatever options.threads is.
/// Memory: 4 x rows^2 bytes for the matrix (6,400 rows: 164 MB) and up to 64 MB for each thread.
/// REQUIRES: shapes agree; every fold leaves both classes to fit on.
/// Errors: `too_large` (too many rows), `give_up` (stopped, or no memory).
Result<std::vector<SvmGridScore>> search_svm_grid(const SvmGridProblem& problem, const SvmGridOptions& options);

/// Of the highest mean F1; of equals, the first, as GridSearchCV has it. REQUIRES: not empty.
const SvmGridScore& best_of(std::span<const SvmGridScore> scores);

/// The original's 32 points, in the order in which scikit-learn's ParameterGrid lists them.
std::vector<model::SvmParameters> original_svm_grid();

}  // namespace dropscore::learn
