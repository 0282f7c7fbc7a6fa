#include "metrics/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "metrics/random.h"

namespace dropscore::metrics {
namespace {

/// Rows of each class that occurs, class 0 first; numpy.unique lists no absent class either.
std::vector<std::vector<std::size_t>> rows_by_class(std::span<const std::uint8_t> labels) {
  std::array<std::vector<std::size_t>, 2> both;
  for (std::size_t row = 0; row < labels.size(); ++row) both[labels[row] != 0 ? 1 : 0].push_back(row);
  std::vector<std::vector<std::size_t>> present;
  for (auto& rows : both) {
    if (!rows.empty()) present.push_back(std::move(rows));
  }
  return present;
}

/// scikit-learn's _approximate_mode: how many of `draws` fall on each class when shares are kept as well as whole
/// numbers can. Shares are rounded down; what is left over goes to the largest remainders, and among equal remainders
/// chance decides, with numpy's choice(replace=False), which shuffles all the positions and takes the first.
std::vector<std::size_t> share_out(const std::vector<std::size_t>& counts, std::size_t draws, NumpyRandom& random) {
  double total = 0;
  for (const std::size_t count : counts) total += static_cast<double>(count);
  std::vector<std::size_t> shares;
  std::vector<double> remainders;
  std::size_t given = 0;
  for (const std::size_t count : counts) {
    const double exact = static_cast<double>(count) / total * static_cast<double>(draws);
    const double whole = std::floor(exact);
    shares.push_back(static_cast<std::size_t>(whole));
    remainders.push_back(exact - whole);
    given += shares.back();
  }
  std::size_t left = draws - std::min(given, draws);
  std::vector<double> levels = remainders;
  std::sort(levels.begin(), levels.end(), std::greater<>());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  for (const double level : levels) {
    if (left == 0) break;
    std::vector<std::size_t> tied;
    for (std::size_t i = 0; i < remainders.size(); ++i) {
      if (remainders[i] == level) tied.push_back(i);
    }
    const std::size_t take = std::min(left, tied.size());
    const std::vector<std::size_t> order = random.permutation(tied.size());
    for (std::size_t i = 0; i < take; ++i) ++shares[tied[order[i]]];
    left -= take;
  }
  return shares;
}

}  // namespace

Result<Split> stratified_split(std::span<const std::uint8_t> labels, double test_fraction, std::uint32_t seed) {
  if (!(test_fraction > 0 && test_fraction < 1)) {
    return fail(ErrorKind::reject, fmt::format("a held-out fraction of {} is not between 0 and 1", test_fraction));
  }
  const std::vector<std::vector<std::size_t>> classes = rows_by_class(labels);
  std::vector<std::size_t> counts;
  for (const auto& rows : classes) {
    counts.push_back(rows.size());
    if (rows.size() < 2) {
      return fail(ErrorKind::reject, fmt::format("only 1 row has label {}: holding out rows needs at least 2 of each",
                                                 labels[rows.front()] != 0 ? 1 : 0));
    }
  }
  const auto n_test = static_cast<std::size_t>(std::ceil(test_fraction * static_cast<double>(labels.size())));
  const std::size_t n_train = labels.size() - std::min(n_test, labels.size());
  if (classes.empty() || n_test < classes.size() || n_train < classes.size()) {
    return fail(ErrorKind::reject,
                fmt::format("{} rows are too few to hold out a fraction of {}: {} would train and {} "
                            "be held out",
                            labels.size(), test_fraction, n_train, n_test));
  }

  NumpyRandom random(seed);
  const std::vector<std::size_t> train_counts = share_out(counts, n_train, random);
  std::vector<std::size_t> remaining = counts;
  for (std::size_t c = 0; c < counts.size(); ++c) remaining[c] -= train_counts[c];
  const std::vector<std::size_t> test_counts = share_out(remaining, n_test, random);

  Split split;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const std::vector<std::size_t> order = random.permutation(counts[c]);
    for (std::size_t i = 0; i < train_counts[c]; ++i) split.train.push_back(classes[c][order[i]]);
    for (std::size_t i = 0; i < test_counts[c]; ++i) split.test.push_back(classes[c][order[train_counts[c] + i]]);
  }
  split.train = random.permutation(split.train);
  split.test = random.permutation(split.test);
  return split;
}

Result<std::vector<std::uint32_t>> stratified_folds(std::span<const std::uint8_t> labels, std::uint32_t folds) {
  if (folds < 2) return fail(ErrorKind::reject, fmt::format("{} folds: at least 2 are needed", folds));
  std::vector<std::vector<std::size_t>> classes = rows_by_class(labels);
  if (classes.empty()) return fail(ErrorKind::reject, "no rows to make folds of");
  for (const auto& rows : classes) {
    if (rows.size() < folds) {
      return fail(ErrorKind::reject, fmt::format("only {} rows have label {}: {} folds need at least {}", rows.size(),
                                                 labels[rows.front()] != 0 ? 1 : 0, folds, folds));
    }
  }
  // scikit-learn numbers the classes by first appearance and deals the rows, sorted by class, to the folds like cards;
  // a class's rows then go to the folds in blocks of the sizes so dealt.
  std::sort(classes.begin(), classes.end(), [](const auto& a, const auto& b) { return a.front() < b.front(); });
  std::vector<std::uint32_t> fold_of(labels.size());
  std::size_t dealt = 0;
  for (const auto& rows : classes) {
    std::vector<std::size_t> sizes(folds, rows.size() / folds);
    for (std::size_t i = 0; i < rows.size() % folds; ++i) ++sizes[(dealt + i) % folds];
    dealt += rows.size();
    std::size_t next = 0;
    for (std::uint32_t fold = 0; fold < folds; ++fold) {
      for (std::size_t i = 0; i < sizes[fold]; ++i) fold_of[rows[next++]] = fold;
    }
  }
  return fold_of;
}

}  // namespace dropscore::metrics
