// Decision value -> probability. Monotone (non-decreasing) in every kind.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"

namespace simdjson::dom {
class element;
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
  double A = 0;                     // NOLINT(readability-identifier-naming): Platt's own names
  double B = 0;                     // NOLINT(readability-identifier-naming)
  std::vector<double> decision;     ///< isotonic: ascending
  std::vector<double> probability;  ///< isotonic: non-decreasing, same length

  double probability_of(double decision_value) const;
  void apply(std::span<const double> decisions, std::span<double> probabilities) const;
};

/// LIBSVM's multiclass_probability for two classes, of `pairwise` = the sigmoid clipped to [1e-7, 1 - 1e-7]: the
/// probability of the class that `pairwise` is about. Source: LIBSVM 3.24, svm.cpp; Wu, Lin, Weng 2004, method 2.
double coupled_probability(double pairwise);

void write(JsonWriter& json, const Calibration& calibration);
Result<Calibration> read_calibration(const simdjson::dom::element& json);

}  // namespace dropscore::model
