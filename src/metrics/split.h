// Which rows train and which are held out. All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace dropscore::metrics {

struct Split {
  std::vector<std::size_t> train;  ///< row indices, in the order that scikit-learn gives them
  std::vector<std::size_t> test;
};

/// scikit-learn's train_test_split(test_size=fraction, random_state=seed, stratify=labels): the very same rows in the
/// very same order. Errors, kind `reject`: a class with fewer than 2 rows, or too few rows for the fraction.
Result<Split> stratified_split(std::span<const std::uint8_t> labels, double test_fraction, std::uint32_t seed);

/// scikit-learn's StratifiedKFold(folds) without shuffling: the fold of each row.
/// Errors, kind `reject`: fewer rows in a class than folds.
Result<std::vector<std::uint32_t>> stratified_folds(std::span<const std::uint8_t> labels, std::uint32_t folds);

}  // namespace dropscore::metrics
