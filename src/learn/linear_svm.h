// The linear support vector machine without a kernel matrix, for many rows and few features:
//
//   min over w, b of 1/2 |w|^2 + C sum_i max(0, 1 - y_i (w.x_i + b)),   the bias b not penalised
//
// which is LIBSVM's C-SVC with kernel "linear". A primal-dual interior point method on the dual: each of its 15 to 40
// steps costs one pass over the rows and a factorisation of a [features x features] matrix, whatever C is, where
// sequential minimal optimisation of the same problem takes millions of steps once C is large.
// Sources: Ferris, Munson, "Interior-point methods for massive support vector machines", SIAM J. Optim. 13(3), 2002;
// Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2(4), 1992.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "features/matrix.h"

namespace dropscore::learn {

struct LinearSvmProblem {
  features::MatrixView<double> rows;      ///< standardized
  std::span<const std::uint32_t> chosen;  ///< of `rows`, those to fit on
  std::span<const std::uint8_t> labels;   ///< 0 or 1, of each of `rows`
  double C = 1;                           // NOLINT(readability-identifier-naming): the literature's name
  double tolerance = 1e-7;                ///< of the duality gap, relative to the objective
  std::function<bool()> stop_requested;   ///< asked at each step; may be empty
};

struct LinearSvmResult {
  std::vector<double> weights;
  double bias = 0;       ///< decision(x) = weights.x + bias, positive for class 1
  double objective = 0;  ///< of the problem above
  std::uint32_t steps = 0;
  bool converged = false;  ///< else: the best that numbers allowed, or that 200 steps reached
};

/// Deterministic, thread-safe. Memory: 10 doubles for each row, and features^2.
/// REQUIRES: both classes among `chosen`; C > 0. Errors: `give_up` (stopped).
Result<LinearSvmResult> solve_linear_svm(const LinearSvmProblem& problem);

}  // namespace dropscore::learn
