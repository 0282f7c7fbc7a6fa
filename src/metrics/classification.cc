#include "metrics/classification.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace dropscore::metrics {
namespace {

constexpr double not_defined = std::numeric_limits<double>::quiet_NaN();

double as_double(std::uint64_t count) { return static_cast<double>(count); }

/// scikit-learn's answer to 0 / 0 in precision, recall and F1 is 0.
double ratio_or_zero(double part, double whole) { return whole == 0 ? 0 : part / whole; }

std::vector<std::size_t> by_falling_score(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&scores](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

/// Calls visit(hits, misses) for each group of equal scores, greatest first: its rows of class `positive` and the rest.
template <class Visit>
void for_each_tie(std::span<const std::uint8_t> labels, std::span<const double> scores, std::uint8_t positive,
                  Visit visit) {
  const std::vector<std::size_t> order = by_falling_score(scores);
  std::size_t at = 0;
  while (at < order.size()) {
    const double score = scores[order[at]];
    double hits = 0;
    double misses = 0;
    for (; at < order.size() && scores[order[at]] == score; ++at) (labels[order[at]] == positive ? hits : misses) += 1;
    visit(hits, misses);
  }
}

}  // namespace

// (TP + TN) / all
double Confusion::accuracy() const { return total() == 0 ? not_defined : as_double(tp + tn) / as_double(total()); }

// TP / (TP + FP)
double Confusion::precision() const { return ratio_or_zero(as_double(tp), as_double(tp + fp)); }

// TP / (TP + FN)
double Confusion::recall() const { return ratio_or_zero(as_double(tp), as_double(tp + fn)); }

// 2 TP / (2 TP + FP + FN)
double Confusion::f1() const { return ratio_or_zero(2 * as_double(tp), 2 * as_double(tp) + as_double(fp + fn)); }

// (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)), the root taken factor by factor: no overflow.
double Confusion::mcc() const {
  const double margins = std::sqrt(as_double(tp + fp)) * std::sqrt(as_double(tp + fn)) * std::sqrt(as_double(tn + fp)) *
                         std::sqrt(as_double(tn + fn));
  return ratio_or_zero(as_double(tp) * as_double(tn) - as_double(fp) * as_double(fn), margins);
}

Confusion confusion(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> decisions) {
  assert(labels.size() == decisions.size());
  Confusion counts;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != 0) {
      ++(decisions[i] != 0 ? counts.tp : counts.fn);
    } else {
      ++(decisions[i] != 0 ? counts.fp : counts.tn);
    }
  }
  return counts;
}

// The share of (positive, negative) pairs in which the positive scores higher (Mann-Whitney), a tie counting half.
double roc_auc(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  assert(labels.size() == scores.size());
  double positives = 0;
  double negatives = 0;
  double won = 0;
  for_each_tie(labels, scores, 1, [&](double hits, double misses) {
    won += misses * (positives + hits / 2);
    positives += hits;
    negatives += misses;
  });
  return positives == 0 || negatives == 0 ? not_defined : won / (positives * negatives);
}

double average_precision(std::span<const std::uint8_t> labels, std::span<const double> scores, std::uint8_t positive) {
  assert(labels.size() == scores.size());
  double found = 0;
  double passed = 0;
  double sum = 0;
  for_each_tie(labels, scores, positive, [&](double hits, double misses) {
    found += hits;
    passed += hits + misses;
    sum += hits * (found / passed);
  });
  return ratio_or_zero(sum, found);
}

double log_loss(std::span<const std::uint8_t> labels, std::span<const double> probabilities) {
  assert(labels.size() == probabilities.size());
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double p = std::clamp(probabilities[i], 1e-15, 1 - 1e-15);
    sum -= std::log(labels[i] != 0 ? p : 1 - p);
  }
  return labels.empty() ? not_defined : sum / static_cast<double>(labels.size());
}

// Mean of (p - label)^2.
double brier_score(std::span<const std::uint8_t> labels, std::span<const double> probabilities) {
  assert(labels.size() == probabilities.size());
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double off = probabilities[i] - (labels[i] != 0 ? 1.0 : 0.0);
    sum += off * off;
  }
  return labels.empty() ? not_defined : sum / static_cast<double>(labels.size());
}

Figures figures(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                std::span<const std::uint8_t> decisions) {
  std::vector<double> against(probabilities.size());
  std::transform(probabilities.begin(), probabilities.end(), against.begin(), [](double p) { return 1 - p; });
  Figures all;
  all.confusion = confusion(labels, decisions);
  all.roc_auc = roc_auc(labels, probabilities);
  all.average_precision = average_precision(labels, probabilities, 1);
  all.average_precision_negative = average_precision(labels, against, 0);
  all.log_loss = log_loss(labels, probabilities);
  all.brier_score = brier_score(labels, probabilities);
  return all;
}

}  // namespace dropscore::metrics
