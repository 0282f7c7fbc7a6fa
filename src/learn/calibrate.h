// Decision values that a fit never saw -> a calibration, and probabilities that judge it fairly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/calibration.h"

namespace dropscore::learn {

/// Fits one kind to out-of-fold decisions. A sigmoid that would fall (decisions that say nothing) becomes flat.
/// REQUIRES: kind is none, platt or isotonic; sizes agree; both classes present. Pure, thread-safe.
model::Calibration fit_calibration(model::CalibrationKind kind, std::span<const double> decisions,
                                   std::span<const std::uint8_t> labels);

struct CrossFitted {
  model::CalibrationKind kind = model::CalibrationKind::none;
  std::vector<double> probabilities;  ///< of each row, by a calibration that did not see it
  double log_loss = 0;
};

/// Calibrates each row by what a fit on the other folds' decisions says. REQUIRES: as above; fold_of[i] < 5 or so.
CrossFitted cross_fit(model::CalibrationKind kind, std::span<const double> decisions,
                      std::span<const std::uint8_t> labels, std::span<const std::uint32_t> fold_of);

/// Of none, platt and isotonic the one whose cross-fitted log loss is least; a more flexible kind has to win by more
/// than a thousandth of it.
CrossFitted choose_calibration(std::span<const double> decisions, std::span<const std::uint8_t> labels,
                               std::span<const std::uint32_t> fold_of);

}  // namespace dropscore::learn
