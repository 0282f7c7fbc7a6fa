// The support vector machine's dual problem over a kernel matrix that is already there:
//
//   min over a of 1/2 sum_ij y_i y_j a_i a_j K_ij - sum_i a_i,   0 <= a_i <= C,   sum_i y_i a_i = 0
//
// by sequential minimal optimisation: two multipliers at a time, the second chosen with second-order information, rows
// at their bounds set aside now and then ("shrinking").
// Sources: Fan, Chen, Lin, "Working set selection using second order information for training support vector machines",
// JMLR 6, 2005; Chang, Lin, "LIBSVM: a library for support vector machines", ACM TIST 2(3), 2011, section 4.
//
// It takes LIBSVM 3.24's (and scikit-learn's SVC's) very steps: kernel values rounded to float, gradient in double, of
// equal candidates the one that stands last, the same rows set aside at the same iterations in the same order, the same
// stopping rule. So the multipliers are LIBSVM's own, bit for bit, in far less time: rows of the matrix are shared
// between fits, columns of rows set aside are left out of memory, loops use the processor's widest vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "learn/gram.h"

namespace dropscore::learn {

/// Memory that fits can use again, one after the other; takes up to 64 MB, as much as the largest of them wrote to.
class SmoWorkspace {
 public:
  static constexpr std::size_t floats = std::size_t{16} << 20U;
  /// nullptr when there is no memory. The first caller's memory is kept until the workspace goes.
  float* memory();

 private:
  FloatMemory memory_;
};

struct SmoProblem {
  const GramMatrix* gram = nullptr;
  /// Rows of `gram` to fit on, each once, in the order that counts when candidates tie. LIBSVM's order is: all rows of
  /// the class that y = +1 stands for, then all of the other.
  std::span<const std::uint32_t> rows;
  /// y, +1 or -1, of each of `rows`.
  std::span<const std::int8_t> signs;
  double C = 1;  // NOLINT(readability-identifier-naming): the literature's name
  double tolerance = 1e-3;
  bool shrinking = true;
  std::uint64_t max_iterations = 10'000'000;
  std::function<bool()> stop_requested;  ///< asked every 1,000 iterations; may be empty
};

struct SmoResult {
  std::vector<double> multipliers;  ///< a_i, in the order of SmoProblem::rows
  double rho = 0;                   ///< decision(x) = sum_i y_i a_i K(x_i, x) - rho
  double objective = 0;
  std::uint64_t iterations = 0;
  bool converged = true;  ///< false: stopped at max_iterations
  /// No multiplier was ever C: any greater C has the same answer, reached by the same steps.
  bool never_at_bound = false;
};

/// Deterministic; several may run at once over one matrix, each with a workspace of its own.
/// REQUIRES: both signs present; rows.size() == signs.size(); C > 0.
/// Errors: `give_up` (stopped, or no memory).
Result<SmoResult> solve_smo(const SmoProblem& problem, SmoWorkspace& workspace);

/// out[k] = sum_i coefficients[i] K(x_rows[i], x_targets[k]) - rho, from the matrix (so with kernel values rounded to
/// float), in the order of `rows`. Rows whose coefficient is 0 cost nothing. REQUIRES: sizes agree. Thread-safe.
void decide_from_gram(const GramMatrix& gram, std::span<const std::uint32_t> rows, std::span<const double> coefficients,
                      double rho, std::span<const std::uint32_t> targets, std::span<double> out);

}  // namespace dropscore::learn
