// A sparse additive model as it is fitted: a few terms, each a step, a category, "is missing" or a straight line, under
// a link with a learned floor and ceiling. Private to the room; learn/additive.cc turns it into a model::Additive.
//
//   score(x) = intercept + sum_k weight_k z_k(x)
//   P(1 | x) = floor + (1 - floor - drop) / (1 + exp(-score(x)))
//
// floor and drop are the shares of labels that no score explains; with both 0 the link is the logistic one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "features/matrix.h"

namespace dropscore::learn {

struct Term {
  enum class Kind : std::uint8_t {
    at_least,  ///< 1 where x >= value; a missing x is below every cut
    equals,    ///< 1 where x is the category `value`
    missing,   ///< 1 where x is missing
    slope,     ///< (x - value) / scale, bounded to +-reach; 0 where x is missing
  };
  static constexpr double reach = 5;  ///< standard deviations; beyond, a line says nothing that it was fitted to

  std::size_t column = 0;
  Kind kind = Kind::at_least;
  double value = 0;  ///< the cut (a single-precision number), the category's code, the centre of a line
  double scale = 1;  ///< of a line
  double weight = 0;

  /// z(x). `x` is NaN where missing.
  double at(double x) const;
};

/// floor = sigmoid(floor_logit) / 2 and drop likewise, so that neither reaches 1/2; both 0 without asymptotes.
struct Link {
  bool asymptotes = false;
  double floor_logit = 0;
  double drop_logit = 0;

  double floor() const;
  double drop() const;
};

struct AdditiveFit {
  double intercept = 0;
  Link link;
  std::vector<Term> terms;
};

struct AdditiveSettings {
  double charge = 2;       ///< log(rows)s that a term must add to twice the log-likelihood; 1 is the BIC's price
  double ridge = 0.03;     ///< half the square of each weight costs so much log-likelihood
  bool slopes = false;     ///< straight lines among the terms
  bool may_bend = true;    ///< try a link with asymptotes
  bool must_bend = false;  ///< take it whatever the comparison says
};

/// Feature columns, one vector each; NaN is missing (an unknown category as well). Numbers are in single precision, as
/// the form compares them, so that no cut tells apart what scoring could not.
struct Columns {
  std::vector<std::vector<double>> values;
  std::vector<bool> categorical;
};
/// `rows` of `from`. Memory: 8 bytes a cell.
Columns columns_of(features::MatrixView<double> from, std::span<const std::size_t> rows,
                   const std::vector<bool>& categorical);

using StopRequested = std::function<bool()>;

/// Finds terms, weights and link together: forward steps by the score test, every cut moved to its exact best place,
/// terms that no longer pay for themselves dropped, until nothing changes; first under the logistic link, then under
/// one with asymptotes, of which the better penalised log-likelihood (two charges for the asymptotes) is taken.
/// REQUIRES: as many labels as rows, both classes present. Nothing: stopped. Pure, single-threaded, deterministic.
std::optional<AdditiveFit> find_terms(const Columns& columns, std::span<const std::uint8_t> labels,
                                      const AdditiveSettings& settings, const StopRequested& stop_requested);

/// The same terms and kind of link with intercept, weights and asymptotes fitted to `rows`, starting from where they
/// are. For more rows than find_terms can look through: streams over them, O(rows x terms^2) a step. Sums are made
/// chunk by chunk in a fixed order, so that the result does not depend on `threads`. Nothing: stopped.
std::optional<AdditiveFit> refit(AdditiveFit fit, features::MatrixView<double> rows,
                                 std::span<const std::uint8_t> labels, const std::vector<bool>& categorical,
                                 const AdditiveSettings& settings, unsigned threads,
                                 const StopRequested& stop_requested);

/// A cut between two neighbouring single-precision numbers, one itself: low < cut <= high.
/// REQUIRES: low < high, both finite.
float cut_between(float low, float high);

}  // namespace dropscore::learn
