// Platt's sigmoid, fitted by Newton's method with backtracking.
// Source: Lin, Lin, Weng, "A note on Platt's probabilistic outputs for support vector machines", 2007; the same
// constants and stopping rule as LIBSVM 3.24's sigmoid_train, so that equal inputs give equal A and B.
#pragma once

#include <cstdint>
#include <span>

namespace dropscore::metrics {

struct Sigmoid {
  double A = 0;  // NOLINT(readability-identifier-naming): Platt's own names
  double B = 0;  // NOLINT(readability-identifier-naming)
};

/// P(y = 1 | f) = 1 / (1 + exp(A f + B)). REQUIRES: equal sizes. Pure, thread-safe.
Sigmoid fit_platt(std::span<const double> decisions, std::span<const std::uint8_t> labels);

}  // namespace dropscore::metrics
