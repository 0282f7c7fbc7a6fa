#include "learn/calibrate.h"

#include <algorithm>
#include <array>

#include "metrics/classification.h"
#include "metrics/isotonic.h"
#include "metrics/platt.h"

namespace dropscore::learn {
namespace {

constexpr double flexibility_price = 1e-3;  // of the log loss

}  // namespace

model::Calibration fit_calibration(model::CalibrationKind kind, std::span<const double> decisions,
                                   std::span<const std::uint8_t> labels) {
  model::Calibration calibration;
  calibration.kind = kind;
  if (kind == model::CalibrationKind::platt) {
    const metrics::Sigmoid sigmoid = metrics::fit_platt(decisions, labels);
    // In LIBSVM's convention A < 0 rises. A falling one is noise: what is left is the rate, for everyone.
    calibration.A = std::min(sigmoid.A, 0.0);
    calibration.B = sigmoid.A <= 0 ? sigmoid.B : metrics::fit_platt(std::vector<double>(labels.size(), 0.0), labels).B;
  } else if (kind == model::CalibrationKind::isotonic) {
    metrics::IsotonicPoints fitted = metrics::fit_isotonic(decisions, labels);
    calibration.decision = std::move(fitted.decision);
    calibration.probability = std::move(fitted.probability);
    // A step that held one class only would be certain for ever after; n rows cannot know more than this.
    const double least = 1 / (static_cast<double>(labels.size()) + 2);
    for (double& p : calibration.probability) p = std::clamp(p, least, 1 - least);
  }
  return calibration;
}

CrossFitted cross_fit(model::CalibrationKind kind, std::span<const double> decisions,
                      std::span<const std::uint8_t> labels, std::span<const std::uint32_t> fold_of) {
  CrossFitted out;
  out.kind = kind;
  out.probabilities.resize(decisions.size());
  const std::uint32_t folds = *std::max_element(fold_of.begin(), fold_of.end()) + 1;
  for (std::uint32_t fold = 0; fold < folds; ++fold) {
    std::vector<double> seen;
    std::vector<std::uint8_t> seen_labels;
    for (std::size_t row = 0; row < decisions.size(); ++row) {
      if (fold_of[row] == fold) continue;
      seen.push_back(decisions[row]);
      seen_labels.push_back(labels[row]);
    }
    const model::Calibration calibration = fit_calibration(kind, seen, seen_labels);
    for (std::size_t row = 0; row < decisions.size(); ++row) {
      if (fold_of[row] == fold) out.probabilities[row] = calibration.probability_of(decisions[row]);
    }
  }
  out.log_loss = metrics::log_loss(labels, out.probabilities);
  return out;
}

CrossFitted choose_calibration(std::span<const double> decisions, std::span<const std::uint8_t> labels,
                               std::span<const std::uint32_t> fold_of) {
  CrossFitted best = cross_fit(model::CalibrationKind::none, decisions, labels, fold_of);
  for (const model::CalibrationKind kind : {model::CalibrationKind::platt, model::CalibrationKind::isotonic}) {
    CrossFitted other = cross_fit(kind, decisions, labels, fold_of);
    if (other.log_loss < best.log_loss * (1 - flexibility_price)) best = std::move(other);
  }
  return best;
}

}  // namespace dropscore::learn
