// Figures of a two-class model, from labels and scores alone. Class 1 is "converts". Pure, thread-safe.
// Definitions: scikit-learn's; each formula stands beside its code. A figure without a meaning (no positive, no
// negative row) is NaN, save where scikit-learn says 0.
#pragma once

#include <cstdint>
#include <span>

namespace dropscore::metrics {

struct Confusion {
  std::uint64_t tn = 0;
  std::uint64_t fp = 0;
  std::uint64_t fn = 0;
  std::uint64_t tp = 0;

  std::uint64_t total() const { return tn + fp + fn + tp; }
  double accuracy() const;
  double precision() const;
  double recall() const;
  double f1() const;
  double mcc() const;  ///< Matthews' correlation; 0 where a margin is empty
};

/// REQUIRES: sizes equal; values 0 or 1.
Confusion confusion(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> decisions);

/// Area under the ROC curve; ties count half.
double roc_auc(std::span<const std::uint8_t> labels, std::span<const double> scores);
/// Average precision of class `positive`, sum over thresholds of (R_n - R_n-1) P_n. For class 0 give 1 - probability.
double average_precision(std::span<const std::uint8_t> labels, std::span<const double> scores,
                         std::uint8_t positive = 1);
/// Mean of -log p of the true class, p clipped to [1e-15, 1 - 1e-15].
double log_loss(std::span<const std::uint8_t> labels, std::span<const double> probabilities);
double brier_score(std::span<const std::uint8_t> labels, std::span<const double> probabilities);

struct Figures {
  Confusion confusion;
  double roc_auc = 0;
  double average_precision = 0;
  double average_precision_negative = 0;
  double log_loss = 0;
  double brier_score = 0;
};

/// All of them. REQUIRES: three equal sizes, at least one row.
Figures figures(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                std::span<const std::uint8_t> decisions);

}  // namespace dropscore::metrics
