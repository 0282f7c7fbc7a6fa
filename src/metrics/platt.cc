#include "metrics/platt.h"

#include <cassert>
#include <cmath>
#include <vector>

namespace dropscore::metrics {
namespace {

// The constants of the paper's appendix, as LIBSVM has them.
constexpr int max_iterations = 100;
constexpr double least_step = 1e-10;
constexpr double ridge = 1e-12;  // keeps the Hessian invertible
constexpr double least_gradient = 1e-5;
constexpr double sufficient_decrease = 1e-4;

/// What is minimized: cross-entropy of soft targets t, written so that no exponential overflows.
double loss(std::span<const double> decisions, const std::vector<double>& targets, Sigmoid at) {
  double sum = 0;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const double z = decisions[i] * at.A + at.B;
    sum += z >= 0 ? targets[i] * z + std::log(1 + std::exp(-z)) : (targets[i] - 1) * z + std::log(1 + std::exp(z));
  }
  return sum;
}

struct Slope {
  double g1 = 0, g2 = 0;             // gradient by A, B
  double h11 = 0, h21 = 0, h22 = 0;  // Hessian
};

Slope slope(std::span<const double> decisions, const std::vector<double>& targets, Sigmoid at) {
  Slope s{.h11 = ridge, .h22 = ridge};
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const double f = decisions[i];
    const double z = f * at.A + at.B;
    const double e = std::exp(z >= 0 ? -z : z);
    const double p = z >= 0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
    const double q = z >= 0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
    const double curvature = p * q;
    s.h11 += f * f * curvature;
    s.h22 += curvature;
    s.h21 += f * curvature;
    const double off = targets[i] - p;
    s.g1 += f * off;
    s.g2 += off;
  }
  return s;
}

}  // namespace

Sigmoid fit_platt(std::span<const double> decisions, std::span<const std::uint8_t> labels) {
  assert(decisions.size() == labels.size());
  double positives = 0;
  double negatives = 0;
  for (const std::uint8_t label : labels) (label != 0 ? positives : negatives) += 1;
  // Not 0 and 1: Platt's targets are the rates with one more row on either side, so that the sigmoid stays finite.
  const double high = (positives + 1.0) / (positives + 2.0);
  const double low = 1 / (negatives + 2.0);
  std::vector<double> targets(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) targets[i] = labels[i] != 0 ? high : low;

  Sigmoid now{0.0, std::log((negatives + 1.0) / (positives + 1.0))};
  double value = loss(decisions, targets, now);
  for (int iteration = 0; iteration < max_iterations; ++iteration) {
    const Slope s = slope(decisions, targets, now);
    if (std::abs(s.g1) < least_gradient && std::abs(s.g2) < least_gradient) break;
    const double determinant = s.h11 * s.h22 - s.h21 * s.h21;
    const double step_a = -(s.h22 * s.g1 - s.h21 * s.g2) / determinant;
    const double step_b = -(-s.h21 * s.g1 + s.h11 * s.g2) / determinant;
    const double descent = s.g1 * step_a + s.g2 * step_b;
    double size = 1;
    for (; size >= least_step; size /= 2) {
      const Sigmoid next{now.A + size * step_a, now.B + size * step_b};
      const double next_value = loss(decisions, targets, next);
      if (next_value < value + sufficient_decrease * size * descent) {
        now = next;
        value = next_value;
        break;
      }
    }
    if (size < least_step) break;
  }
  return now;
}

}  // namespace dropscore::metrics
