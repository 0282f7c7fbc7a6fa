// The functions that stand between a score and a probability, over many rows: in double, compiled for each generation
// of processors and chosen at run time. Thread-safe. A row's answer does not depend on the rows beside it.
#pragma once

#include <span>

namespace dropscore::model {

/// out = sigmoid(decisions, A, B) of calibration.h, within 1e-15. REQUIRES: equal sizes.
void sigmoids(std::span<const double> decisions, double A, double B,  // NOLINT(readability-identifier-naming)
              std::span<double> out);

/// f = log(P / (1 - P)) of P = floor + (1 - floor - drop) / (1 + exp(-f)), within 1e-14 (1 + |f|); f is taken as at
/// most `farthest_score` either way.
void bounded_log_odds(std::span<double> f, double floor, double drop);

/// exp() of more than this is no double's business: log(P / (1 - P)) stays finite.
inline constexpr double farthest_score = 500;

}  // namespace dropscore::model
