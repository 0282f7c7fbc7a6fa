// Fits of one support vector machine over a kernel matrix: on all rows, and on folds of them for out-of-fold decision
// values (Platt's calibration), all at once on a few threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "learn/gram.h"
#include "learn/smo.h"

namespace dropscore::learn {

struct SvcOptions {
  double C = 1;  // NOLINT(readability-identifier-naming): the literature's name
  double tolerance = 1e-3;
  unsigned threads = 1;
  std::function<bool()> stop_requested;  ///< may be empty; asked from any of the threads
};

/// decision(x) = sum_i coefficients[i] K(x_rows[i], x) - rho, greater meaning likelier `first`.
struct SvcFit {
  std::vector<std::uint32_t> rows;   ///< support vectors: `first`'s, then `second`'s, each in the order given
  std::vector<double> coefficients;  ///< y_i a_i
  std::size_t first_count = 0;       ///< how many of `rows` are of `first`
  double rho = 0;
  std::uint64_t iterations = 0;
  bool never_at_bound = false;  ///< as SmoResult's
};

/// A fit of the rows `first` (y = +1) against the rows `second`, in these orders, as LIBSVM would fit them:
/// scikit-learn puts class 0 first, and turns the signs afterwards. `options.threads` is not used. REQUIRES: neither is
/// empty. Thread-safe. Errors: `give_up` (stopped, or no memory).
Result<SvcFit> fit_svc(const GramMatrix& gram, std::span<const std::uint32_t> first,
                       std::span<const std::uint32_t> second, const SvcOptions& options, SmoWorkspace& workspace);

/// One fold: fitted on `first` against `second`, decided on `held`.
struct SvcFold {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> second;
  std::vector<std::uint32_t> held;
};

/// Decision values of every fold's held rows, greater meaning likelier `first`; 0 for rows that no fold holds. A fold
/// without rows on one side decides as LIBSVM does: +1 or -1 for the other side, 0 when both are empty.
/// With `whole` there is one fit more, of whole->first against whole->second (`held` is not looked at), put into *fit.
/// Deterministic whatever options.threads is; a workspace is taken for each thread. Errors: as fit_svc.
Result<std::vector<double>> decide_out_of_fold(const GramMatrix& gram, std::span<const SvcFold> folds,
                                               const SvcOptions& options, const SvcFold* whole = nullptr,
                                               SvcFit* fit = nullptr);

/// The folds of scikit-learn's SVC(probability=True): rows grouped by class (0 first), shuffled by its own bounded
/// Mersenne twister, cut into `count`; in each, class 1 is `first`, as scikit-learn sorts the labels -1 and +1.
/// `seed` is the inner one, RandomState(random_state).randint(2^31 - 1).
std::vector<SvcFold> original_inner_folds(std::span<const std::uint8_t> labels, std::uint32_t seed,
                                          std::uint32_t count = 5);
/// Folds from each row's number, as metrics::stratified_folds gives it; class 1 is `first`.
std::vector<SvcFold> folds_by_number(std::span<const std::uint8_t> labels, std::span<const std::uint32_t> fold_of_row);

}  // namespace dropscore::learn
