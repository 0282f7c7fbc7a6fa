#include "model/calibration.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "base/json_reader.h"
#include "model/link_simd.h"

namespace dropscore::model {
namespace {

constexpr std::array kinds{CalibrationKind::none, CalibrationKind::platt, CalibrationKind::original,
                           CalibrationKind::isotonic};

// As scikit-learn's SVC sees it: the sigmoid is about class 0, whose decision value is the negative of ours, and so is
// the coupling, which is not quite symmetric.
double original_probability(double decision_value, double A, double B) {  // NOLINT(readability-identifier-naming)
  return 1 - coupled_probability(sigmoid(-decision_value, A, -B));
}

double interpolate(const std::vector<double>& at, const std::vector<double>& values, double x) {
  const auto above = static_cast<std::size_t>(std::upper_bound(at.begin(), at.end(), x) - at.begin());
  if (above == 0) return values.front();
  if (above == at.size()) return values.back();
  const double share = (x - at[above - 1]) / (at[above] - at[above - 1]);
  return values[above - 1] + share * (values[above] - values[above - 1]);
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

std::string_view name(CalibrationKind kind) {
  switch (kind) {
    case CalibrationKind::none: return "none";
    case CalibrationKind::platt: return "platt";
    case CalibrationKind::original: return "original";
    case CalibrationKind::isotonic: return "isotonic";
  }
  return "none";
}

double sigmoid(double decision_value, double A, double B) {  // NOLINT(readability-identifier-naming)
  const double z = decision_value * A + B;
  const double e = std::exp(z >= 0 ? -z : z);
  return z >= 0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
}

double coupled_probability(double pairwise) {
  const std::array<double, 2> r{std::clamp(pairwise, 1e-7, 1 - 1e-7), 1 - std::clamp(pairwise, 1e-7, 1 - 1e-7)};
  // p minimizes p'Qp over the simplex; for two classes the answer is r itself, reached from (1/2, 1/2) by rounds of
  // coordinate descent that end once p is within `tolerance`: what is left is the jumps.
  constexpr double tolerance = 0.005 / 2;
  constexpr int max_rounds = 100;
  const std::array<std::array<double, 2>, 2> Q{{{r[1] * r[1], -r[1] * r[0]}, {-r[1] * r[0], r[0] * r[0]}}};
  std::array<double, 2> p{0.5, 0.5};
  for (int round = 0; round < max_rounds; ++round) {
    std::array<double, 2> Qp{Q[0][0] * p[0] + Q[0][1] * p[1], Q[1][0] * p[0] + Q[1][1] * p[1]};
    double pQp = p[0] * Qp[0] + p[1] * Qp[1];
    if (std::max(std::abs(Qp[0] - pQp), std::abs(Qp[1] - pQp)) < tolerance) break;
    for (std::size_t t = 0; t < 2; ++t) {
      const double step = (-Qp[t] + pQp) / Q[t][t];
      p[t] += step;
      pQp = (pQp + step * (step * Q[t][t] + 2 * Qp[t])) / (1 + step) / (1 + step);
      for (std::size_t j = 0; j < 2; ++j) {
        Qp[j] = (Qp[j] + step * Q[t][j]) / (1 + step);
        p[j] /= 1 + step;
      }
    }
  }
  return p[0];
}

double Calibration::probability_of(double decision_value) const {
  switch (kind) {
    case CalibrationKind::none: return sigmoid(decision_value, -1, 0);
    case CalibrationKind::platt: return sigmoid(decision_value, A, B);
    case CalibrationKind::original: return original_probability(decision_value, A, B);
    case CalibrationKind::isotonic: return interpolate(decision, probability, decision_value);
  }
  return 0;
}

void Calibration::apply(std::span<const double> decisions, std::span<double> probabilities) const {
  assert(decisions.size() == probabilities.size());
  if (kind == CalibrationKind::none) return sigmoids(decisions, -1, 0, probabilities);
  if (kind == CalibrationKind::platt) return sigmoids(decisions, A, B, probabilities);
  std::transform(decisions.begin(), decisions.end(), probabilities.begin(),
                 [this](double decision_value) { return probability_of(decision_value); });
}

Status Calibration::check() const {
  const auto wrong = [](std::string_view what) { return fail(ErrorKind::give_up, std::string(what)); };
  if (!std::isfinite(A) || !std::isfinite(B)) return wrong("calibration: A and B must be finite");
  // The original takes whatever its sigmoid comes to, even where it learnt nothing and A is over 0.
  if (A > 0 && kind != CalibrationKind::original) {
    return wrong("calibration: A must not be over 0, or greater decision values would mean less likely");
  }
  if (kind != CalibrationKind::isotonic) return {};
  if (decision.empty() || decision.size() != probability.size()) {
    return wrong("calibration: isotonic needs as many probabilities as decision values, and at least one");
  }
  if (!all_finite(decision) || !all_finite(probability)) return wrong("calibration: isotonic points must be finite");
  if (std::adjacent_find(decision.begin(), decision.end(), std::greater_equal<>()) != decision.end()) {
    return wrong("calibration: isotonic decision values must ascend");
  }
  if (!std::is_sorted(probability.begin(), probability.end()) || probability.front() < 0 || probability.back() > 1) {
    return wrong("calibration: isotonic probabilities must not fall and must lie within 0 and 1");
  }
  return {};
}

void write(JsonWriter& json, const Calibration& calibration) {
  json.begin_object().member("kind", name(calibration.kind));
  switch (calibration.kind) {
    case CalibrationKind::none: break;
    case CalibrationKind::platt:
    case CalibrationKind::original: json.member("A", calibration.A).member("B", calibration.B); break;
    case CalibrationKind::isotonic:
      json.key("decision").numbers(calibration.decision);
      json.key("probability").numbers(calibration.probability);
      break;
  }
  json.end_object();
}

Result<Calibration> read_calibration(JsonReader json) {
  Calibration calibration;
  DROPSCORE_TRY(const JsonReader kind, json.member("kind"));
  DROPSCORE_TRY(const std::string kind_name, kind.text());
  const auto* const known =
      std::find_if(kinds.begin(), kinds.end(), [&](CalibrationKind one) { return name(one) == kind_name; });
  if (known == kinds.end()) return kind.error("none of \"none\", \"platt\", \"original\", \"isotonic\"");
  calibration.kind = *known;
  if (calibration.kind == CalibrationKind::platt || calibration.kind == CalibrationKind::original) {
    DROPSCORE_TRY(const JsonReader a, json.member("A"));
    DROPSCORE_TRY(calibration.A, a.number());
    DROPSCORE_TRY(const JsonReader b, json.member("B"));
    DROPSCORE_TRY(calibration.B, b.number());
  }
  if (calibration.kind == CalibrationKind::isotonic) {
    DROPSCORE_TRY(const JsonReader decision, json.member("decision"));
    DROPSCORE_TRY(calibration.decision, decision.numbers());
    DROPSCORE_TRY(const JsonReader probability, json.member("probability"));
    DROPSCORE_TRY(calibration.probability, probability.numbers());
  }
  DROPSCORE_CHECK(json.no_other_members());
  if (const Status fine = calibration.check(); !fine) return json.error(fine.error().customer.text);
  return calibration;
}

}  // namespace dropscore::model
