#include "metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "metrics/random.h"

namespace dropscore::metrics {
namespace {

/// Where an interval stands in FigureIntervals, and the figure that goes into it.
struct Column {
  Interval FigureIntervals::*interval;
  double (*figure)(const Figures&);
};
constexpr std::array columns{
    Column{&FigureIntervals::accuracy, [](const Figures& one) { return one.confusion.accuracy(); }},
    Column{&FigureIntervals::precision, [](const Figures& one) { return one.confusion.precision(); }},
    Column{&FigureIntervals::recall, [](const Figures& one) { return one.confusion.recall(); }},
    Column{&FigureIntervals::f1, [](const Figures& one) { return one.confusion.f1(); }},
    Column{&FigureIntervals::mcc, [](const Figures& one) { return one.confusion.mcc(); }},
    Column{&FigureIntervals::roc_auc, [](const Figures& one) { return one.roc_auc; }},
    Column{&FigureIntervals::average_precision, [](const Figures& one) { return one.average_precision; }},
    Column{&FigureIntervals::average_precision_negative,
           [](const Figures& one) { return one.average_precision_negative; }},
    Column{&FigureIntervals::log_loss, [](const Figures& one) { return one.log_loss; }},
    Column{&FigureIntervals::brier_score, [](const Figures& one) { return one.brier_score; }},
};

/// Drawn rows with one probability.
struct Tie {
  double ones = 0;
  double zeros = 0;
};

/// The rows in the order of their probability, with what each adds to a figure: sorted once, a sample is then only a
/// count for each row.
class SortedRows {
 public:
  SortedRows(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
             std::span<const std::uint8_t> decisions) {
    std::vector<std::size_t> order(labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return probabilities[a] != probabilities[b] ? probabilities[a] < probabilities[b] : a < b;
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::size_t row = order[i];
      if (i > 0 && probabilities[row] != probabilities[order[i - 1]]) ++ties_;
      Row one{.tie = ties_, .label = labels[row] != 0, .decision = decisions[row] != 0};
      one.log_loss = log_loss(labels.subspan(row, 1), probabilities.subspan(row, 1));
      one.brier_score = brier_score(labels.subspan(row, 1), probabilities.subspan(row, 1));
      rows_.push_back(one);
    }
    ++ties_;
  }

  Figures sample(NumpyRandom random) const {
    std::vector<std::uint32_t> counts(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) ++counts[random.interval(rows_.size() - 1)];
    Figures out;
    std::vector<Tie> ties(ties_);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (counts[i] == 0) continue;
      const Row& row = rows_[i];
      const auto count = static_cast<double>(counts[i]);
      (row.label ? ties[row.tie].ones : ties[row.tie].zeros) += count;
      Confusion& all = out.confusion;
      (row.label ? (row.decision ? all.tp : all.fn) : (row.decision ? all.fp : all.tn)) += counts[i];
      out.log_loss += count * row.log_loss;
      out.brier_score += count * row.brier_score;
    }
    out.log_loss /= static_cast<double>(rows_.size());
    out.brier_score /= static_cast<double>(rows_.size());
    rank(ties, out);
    return out;
  }

 private:
  struct Row {
    std::size_t tie = 0;
    bool label = false;
    bool decision = false;
    double log_loss = 0;
    double brier_score = 0;
  };

  /// The figures that depend on the order of probabilities; formulas in classification.cc. Class 0 is found from the
  /// least probability up, class 1 from the greatest down.
  static void rank(const std::vector<Tie>& ties, Figures& out) {
    double ones = 0;
    double zeros = 0;
    double won = 0;
    double sum = 0;
    for (const Tie& tie : ties) {
      won += tie.ones * (zeros + tie.zeros / 2);
      ones += tie.ones;
      zeros += tie.zeros;
      if (tie.zeros > 0) sum += tie.zeros * (zeros / (zeros + ones));
    }
    out.roc_auc = ones == 0 || zeros == 0 ? std::numeric_limits<double>::quiet_NaN() : won / (ones * zeros);
    out.average_precision_negative = zeros == 0 ? 0 : sum / zeros;
    sum = ones = zeros = 0;
    for (auto tie = ties.rbegin(); tie != ties.rend(); ++tie) {
      ones += tie->ones;
      zeros += tie->zeros;
      if (tie->ones > 0) sum += tie->ones * (ones / (ones + zeros));
    }
    out.average_precision = ones == 0 ? 0 : sum / ones;
  }

  std::vector<Row> rows_;
  std::size_t ties_ = 0;
};

/// numpy.percentile of ascending values: linear between neighbours.
double percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval interval(std::vector<double> values, double level) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double value) { return std::isnan(value); }),
               values.end());
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {none, none};
  std::sort(values.begin(), values.end());
  return {percentile(values, (1 - level) / 2), percentile(values, (1 + level) / 2)};
}

}  // namespace

FigureIntervals bootstrap(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                          std::span<const std::uint8_t> decisions, const BootstrapOptions& options) {
  assert(labels.size() == probabilities.size() && labels.size() == decisions.size());
  assert(!labels.empty() && options.samples > 0 && options.level > 0 && options.level < 1);
  const SortedRows rows(labels, probabilities, decisions);
  NumpyRandom seeds(options.seed);
  std::array<std::vector<double>, columns.size()> values;
  for (std::uint32_t sample = 0; sample < options.samples; ++sample) {
    const Figures one = rows.sample(NumpyRandom(seeds.next32()));
    for (std::size_t i = 0; i < columns.size(); ++i) values[i].push_back(columns[i].figure(one));
  }
  FigureIntervals out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out.*columns[i].interval = interval(std::move(values[i]), options.level);
  }
  return out;
}

}  // namespace dropscore::metrics
