// Decision value -> probability. Non-decreasing in every kind save `original`, whose coupling stops early and falls by
// up to 0.0039 at the two places where it begins another round.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"

namespace dropscore {
class JsonReader;
}

namespace dropscore::model {

enum class CalibrationKind : std::uint8_t {
  none,      ///< the decision value is a log-odds: 1 / (1 + exp(-f))
  platt,     ///< 1 / (1 + exp(A f + B)), Platt's sigmoid in LIBSVM's sign convention (A < 0)
  original,  ///< Platt's sigmoid, then LIBSVM's pairwise coupling for two classes, as SVC(probability=True) does
  isotonic,  ///< linear between fitted points, constant outside
};
std::string_view name(CalibrationKind kind);

struct Calibration {
  CalibrationKind kind = CalibrationKind::none;
  double A = 0;                          // NOLINT(readability-identifier-naming): Platt's own names
  double B = 0;                          // NOLINT(readability-identifier-naming)
  std::vector<double> decision = {};     ///< isotonic: strictly ascending, at least one
  std::vector<double> probability = {};  ///< isotonic: non-decreasing within [0, 1], same length

  /// REQUIRES: check() passes.
  double probability_of(double decision_value) const;
  /// probability_of() each, within 1e-15: in vector registers where it is a sigmoid. REQUIRES: equal sizes.
  void apply(std::span<const double> decisions, std::span<double> probabilities) const;
  /// Errors: `give_up` where a figure is not finite, A > 0 (save in `original`), or isotonic points are not as said
  /// above.
  Status check() const;
};

/// 1 / (1 + exp(A f + B)), without overflow.
double sigmoid(double decision_value, double A, double B);  // NOLINT(readability-identifier-naming)

/// LIBSVM's multiclass_probability for two classes, of `pairwise` = the sigmoid clipped to [1e-7, 1 - 1e-7]: the
/// probability of the class that `pairwise` is about. Source: LIBSVM 3.24, svm.cpp; Wu, Lin, Weng 2004, method 2.
double coupled_probability(double pairwise);

void write(JsonWriter& json, const Calibration& calibration);
Result<Calibration> read_calibration(JsonReader json);

}  // namespace dropscore::model
