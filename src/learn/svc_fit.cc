#include "learn/svc_fit.h"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <optional>
#include <random>

#include "learn/parallel.h"
#include "learn/workspaces.h"

namespace dropscore::learn {
namespace {

/// scikit-learn's bounded draw: Lemire's multiplication (2019), draws refused that would favour some results.
std::uint32_t draw_below(std::mt19937& engine, std::uint32_t bound) {
  const std::uint32_t favoured = (0U - bound) % bound;
  for (;;) {
    const std::uint64_t product = static_cast<std::uint64_t>(engine()) * bound;
    if (static_cast<std::uint32_t>(product) >= favoured) return static_cast<std::uint32_t>(product >> 32U);
  }
}

Status decide_fold(const GramMatrix& gram, const SvcFold& fold, const SvcOptions& options, SmoWorkspace& workspace,
                   std::span<double> decisions) {
  if (fold.first.empty() || fold.second.empty()) {
    const double only = fold.first.empty() ? (fold.second.empty() ? 0 : -1) : 1;
    for (const std::uint32_t row : fold.held) decisions[row] = only;
    return {};
  }
  DROPSCORE_TRY(const SvcFit fit, fit_svc(gram, fold.first, fold.second, options, workspace));
  std::vector<double> held(fold.held.size());
  gram.decide(fit.rows, fit.coefficients, fit.rho, fold.held, held);
  for (std::size_t k = 0; k < held.size(); ++k) decisions[fold.held[k]] = held[k];
  return {};
}

}  // namespace

Result<SvcFit> fit_svc(const GramMatrix& gram, std::span<const std::uint32_t> first,
                       std::span<const std::uint32_t> second, const SvcOptions& options, SmoWorkspace& workspace) {
  assert(!first.empty() && !second.empty());
  std::vector<std::uint32_t> rows(first.begin(), first.end());
  rows.insert(rows.end(), second.begin(), second.end());
  std::vector<std::int8_t> signs(rows.size(), -1);
  std::fill_n(signs.begin(), first.size(), std::int8_t{1});
  SmoProblem problem;
  problem.gram = &gram;
  problem.rows = rows;
  problem.signs = signs;
  problem.C = options.C;
  problem.tolerance = options.tolerance;
  problem.stop_requested = options.stop_requested;
  DROPSCORE_TRY(const SmoResult solved, solve_smo(problem, workspace));
  SvcFit fit;
  fit.rho = solved.rho;
  fit.iterations = solved.iterations;
  fit.never_at_bound = solved.never_at_bound;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (solved.multipliers[i] <= 0) continue;
    fit.rows.push_back(rows[i]);
    fit.coefficients.push_back(signs[i] * solved.multipliers[i]);
    if (signs[i] > 0) ++fit.first_count;
  }
  return fit;
}

Result<std::vector<double>> decide_out_of_fold(const GramMatrix& gram, std::span<const SvcFold> folds,
                                               const SvcOptions& options, const SvcFold* whole, SvcFit* fit) {
  assert(whole == nullptr || fit != nullptr);
  std::vector<double> decisions(gram.rows());
  Workspaces workspaces;
  std::mutex mutex;
  std::optional<Error> failed;
  const auto note = [&](Error error) {
    const std::lock_guard lock(mutex);
    if (!failed) failed = std::move(error);
  };
  // The whole is the longest, so it is begun first.
  const std::size_t extra = whole != nullptr ? 1 : 0;
  for_each_index(folds.size() + extra, options.threads, [&](std::size_t task) {
    const Workspaces::Loan workspace(workspaces);
    if (task < extra) {
      auto fitted = fit_svc(gram, whole->first, whole->second, options, *workspace);
      fitted ? void(*fit = *std::move(fitted)) : note(std::move(fitted).error());
    } else if (auto decided = decide_fold(gram, folds[task - extra], options, *workspace, decisions); !decided) {
      note(std::move(decided).error());
    }
  });
  if (failed) return tl::unexpected<Error>(*std::move(failed));
  return decisions;
}

std::vector<SvcFold> original_inner_folds(std::span<const std::uint8_t> labels, std::uint32_t seed,
                                          std::uint32_t count) {
  std::vector<std::uint32_t> order;
  for (const bool wanted : {false, true}) {
    for (std::uint32_t row = 0; row < labels.size(); ++row) {
      if ((labels[row] != 0) == wanted) order.push_back(row);
    }
  }
  std::mt19937 engine(seed);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::swap(order[i], order[i + draw_below(engine, static_cast<std::uint32_t>(order.size() - i))]);
  }
  std::vector<SvcFold> folds(count);
  for (std::size_t fold = 0; fold < count; ++fold) {
    const std::size_t begin = fold * order.size() / count;
    const std::size_t end = (fold + 1) * order.size() / count;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool held = i >= begin && i < end;
      auto& rows = held ? folds[fold].held : labels[order[i]] != 0 ? folds[fold].first : folds[fold].second;
      rows.push_back(order[i]);
    }
  }
  return folds;
}

std::vector<SvcFold> folds_by_number(std::span<const std::uint8_t> labels, std::span<const std::uint32_t> fold_of_row) {
  assert(labels.size() == fold_of_row.size());
  std::vector<SvcFold> folds;
  for (const std::uint32_t fold : fold_of_row) folds.resize(std::max<std::size_t>(folds.size(), fold + 1));
  for (std::size_t fold = 0; fold < folds.size(); ++fold) {
    for (std::uint32_t row = 0; row < labels.size(); ++row) {
      const bool held = fold_of_row[row] == fold;
      auto& rows = held ? folds[fold].held : labels[row] != 0 ? folds[fold].first : folds[fold].second;
      rows.push_back(row);
    }
  }
  return folds;
}

}  // namespace dropscore::learn
