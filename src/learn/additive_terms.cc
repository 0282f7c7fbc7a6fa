#include "learn/additive_terms.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "learn/cholesky.h"
#include "learn/chunks.h"
#include "model/additive.h"

namespace dropscore::learn {
namespace {

// Found on the original's data with seeds that are not used to report figures; flat around these values.
constexpr double asymptote_prior = -4;   // logits of floor and drop are drawn here: 0.9 % of labels each
constexpr double asymptote_ridge = 0.1;  // and so strongly
constexpr double asymptote_charges = 2;  // log(rows)s, one for each of the two
constexpr std::size_t max_terms = 60;
constexpr std::size_t min_rows = 20;  // on either side of a step: fewer say nothing
constexpr int max_sweeps = 12;
constexpr double least_probability = 1e-12;

double sigmoid(double score) {
  const double e = std::exp(-std::abs(score));
  return score >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// The link with its two numbers at hand.
struct Curve {
  double floor;
  double drop;
  double span;

  explicit Curve(const Link& link) : floor(link.floor()), drop(link.drop()), span(1 - floor - drop) {}

  double log_likelihood(double score, std::uint8_t label) const {
    const double p = label != 0 ? floor + span * sigmoid(score) : drop + span * sigmoid(-score);
    return std::log(std::max(p, 1e-15));
  }
};

/// One row's part in Fisher's scoring: derivatives of its probability p.
struct RowSlopes {
  double by_score;
  double by_floor_logit;
  double by_drop_logit;
  double residual;          ///< (label - p) / (p (1 - p))
  double inverse_variance;  ///< 1 / (p (1 - p))

  RowSlopes(const Curve& curve, double score, std::uint8_t label) {
    const double s = sigmoid(score);
    const double p = std::clamp(curve.floor + curve.span * s, least_probability, 1 - least_probability);
    inverse_variance = 1 / (p * (1 - p));
    residual = ((label != 0 ? 1.0 : 0.0) - p) * inverse_variance;
    by_score = curve.span * s * (1 - s);
    by_floor_logit = (1 - s) * curve.floor * (1 - 2 * curve.floor);
    by_drop_logit = -s * curve.drop * (1 - 2 * curve.drop);
  }
};

/// Gradient and expected information of intercept, weights and, with asymptotes, their logits, in that order.
class Scoring {
 public:
  Scoring(std::size_t terms, bool asymptotes)
      : terms_(terms),
        asymptotes_(asymptotes),
        gradient_(terms + (asymptotes ? 3 : 1)),
        information_(gradient_.size() * gradient_.size()) {
    used_.reserve(gradient_.size());
  }

  /// value(k) is the row's z of term k.
  template <class Value>
  void add_row(const RowSlopes& row, Value value) {
    used_.clear();
    used_.emplace_back(0, row.by_score);
    for (std::size_t k = 0; k < terms_; ++k) {
      const double z = value(k);
      if (z != 0) used_.emplace_back(k + 1, row.by_score * z);
    }
    if (asymptotes_) {
      used_.emplace_back(terms_ + 1, row.by_floor_logit);
      used_.emplace_back(terms_ + 2, row.by_drop_logit);
    }
    for (std::size_t u = 0; u < used_.size(); ++u) {
      const auto [at, slope] = used_[u];
      gradient_[at] += row.residual * slope;
      const double scaled = slope * row.inverse_variance;
      double* line = &information_[at * gradient_.size()];
      for (std::size_t v = 0; v <= u; ++v) line[used_[v].first] += scaled * used_[v].second;
    }
  }

  void add(const Scoring& other) {
    for (std::size_t i = 0; i < gradient_.size(); ++i) gradient_[i] += other.gradient_[i];
    for (std::size_t i = 0; i < information_.size(); ++i) information_[i] += other.information_[i];
  }

  /// The step that Fisher's scoring takes from `fit`, or nothing where the system cannot be solved.
  std::optional<std::vector<double>> step(const AdditiveFit& fit, double ridge) {
    const std::size_t size = gradient_.size();
    const auto draw = [&](std::size_t at, double strength, double distance) {
      gradient_[at] -= strength * distance;
      information_[at * (size + 1)] += strength;
    };
    for (std::size_t k = 0; k < terms_; ++k) draw(k + 1, ridge, fit.terms[k].weight);
    if (asymptotes_) {
      draw(terms_ + 1, asymptote_ridge, fit.link.floor_logit - asymptote_prior);
      draw(terms_ + 2, asymptote_ridge, fit.link.drop_logit - asymptote_prior);
    }
    // A little more on the diagonal, for terms that are all but the same.
    for (std::size_t u = 0; u < size; ++u) {
      double& diagonal = information_[u * (size + 1)];
      diagonal += 1e-6 * diagonal + 1e-9;
    }
    if (!solve_cholesky(information_, gradient_)) return std::nullopt;
    return gradient_;
  }

 private:
  std::size_t terms_;
  bool asymptotes_;
  std::vector<double> gradient_;
  std::vector<double> information_;  ///< row-major, lower half
  std::vector<std::pair<std::size_t, double>> used_;
};

/// What is subtracted from the log-likelihood.
double penalty(const AdditiveFit& fit, double ridge) {
  double sum = 0;
  for (const Term& term : fit.terms) sum += ridge / 2 * term.weight * term.weight;
  if (fit.link.asymptotes) {
    const double a = fit.link.floor_logit - asymptote_prior;
    const double b = fit.link.drop_logit - asymptote_prior;
    sum += asymptote_ridge / 2 * (a * a + b * b);
  }
  return sum;
}

AdditiveFit moved(AdditiveFit fit, const std::vector<double>& step, double share) {
  fit.intercept += share * step[0];
  for (std::size_t k = 0; k < fit.terms.size(); ++k) fit.terms[k].weight += share * step[k + 1];
  if (fit.link.asymptotes) {
    fit.link.floor_logit += share * step[fit.terms.size() + 1];
    fit.link.drop_logit += share * step[fit.terms.size() + 2];
  }
  return fit;
}

/// Where a line search along `step` begins: no parameter may leap by more than 2, a long way for a log-odds.
double first_share(const std::vector<double>& step) {
  double largest = 0;
  for (const double one : step) largest = std::max(largest, std::abs(one));
  return largest > 2 ? 2 / largest : 1;
}
constexpr int max_halvings = 12;

/// A column's rows in the order of its values, for looking through all its cuts in one pass.
struct SortedColumn {
  std::vector<std::uint32_t> order;   ///< rows that have a value, ascending
  std::vector<std::uint32_t> starts;  ///< where in `order` each distinct value begins
  std::vector<std::uint32_t> missing;
  double mean = 0;
  double deviation = 0;

  explicit SortedColumn(const std::vector<double>& x) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      (std::isnan(x[i]) ? missing : order).push_back(static_cast<std::uint32_t>(i));
    }
    std::stable_sort(order.begin(), order.end(), [&x](std::uint32_t a, std::uint32_t b) { return x[a] < x[b]; });
    for (std::size_t at = 0; at < order.size(); ++at) {
      if (at == 0 || x[order[at]] != x[order[at - 1]]) starts.push_back(static_cast<std::uint32_t>(at));
      mean += x[order[at]] / static_cast<double>(order.size());
    }
    for (const std::uint32_t row : order) deviation += (x[row] - mean) * (x[row] - mean);
    deviation = order.empty() ? 0 : std::sqrt(deviation / static_cast<double>(order.size()));
  }

  std::size_t end_of(std::size_t group) const { return group + 1 < starts.size() ? starts[group + 1] : order.size(); }
};

class Search {
 public:
  Search(const Columns& columns, std::span<const std::uint8_t> labels, const AdditiveSettings& settings,
         const StopRequested& stop_requested)
      : columns_(columns),
        labels_(labels),
        settings_(settings),
        stop_requested_(stop_requested),
        log_rows_(std::log(std::max(2.0, static_cast<double>(labels.size())))) {
    for (const std::vector<double>& x : columns.values) sorted_.emplace_back(x);
  }

  std::optional<AdditiveFit> run();

 private:
  struct Candidate {
    double surplus = 0;  ///< estimated gain less charge
    Term term;
  };
  /// What the score test needs of each row: u = d log-likelihood / d score, h = its information.
  struct Leverage {
    std::vector<double> u;
    std::vector<double> h;
    double total_h = 0;
  };

  std::size_t rows() const { return labels_.size(); }
  /// Asked often; once it has said yes, every loop runs out.
  bool stopped() {
    stopped_ = stopped_ || stop_requested_();
    return stopped_;
  }
  double charge() const { return settings_.charge * log_rows_; }
  double total_charge() const {
    return charge() * static_cast<double>(now_.terms.size()) +
           (now_.link.asymptotes ? asymptote_charges * log_rows_ : 0);
  }
  /// Comparable between links: the penalised log-likelihood less half of what its terms are charged.
  double worth() const { return objective() - total_charge() / 2; }

  void start_from(AdditiveFit fit);
  std::vector<double> evaluate(const Term& term) const;
  void rescore();
  void reweigh();
  double objective() const { return log_likelihood_ - penalty(now_, settings_.ridge); }

  void refit(int iterations);
  Leverage leverage() const;
  Candidate best_addition() const;
  void offer_cuts(std::size_t column, const Leverage& by, Candidate& best) const;
  void offer_slope(std::size_t column, const Leverage& by, Candidate& best) const;
  void offer(double u, double h, double total_h, std::size_t count, const Term& term, Candidate& best) const;
  double cut_before(std::size_t column, std::size_t group) const;

  bool add_terms();
  double loss_without(std::size_t k) const;
  bool prune();
  bool move_cut(std::size_t k);
  void move_all_cuts();
  void improve();

  const Columns& columns_;
  std::span<const std::uint8_t> labels_;
  const AdditiveSettings& settings_;
  const StopRequested& stop_requested_;
  bool stopped_ = false;
  double log_rows_;
  std::vector<SortedColumn> sorted_;

  AdditiveFit now_;
  std::vector<std::vector<double>> values_;  ///< z of each term in each row
  std::vector<double> score_;                ///< of each row
  std::vector<double> row_likelihood_;       ///< logarithm, of each row at its score
  double log_likelihood_ = 0;                ///< their sum
};

void Search::start_from(AdditiveFit fit) {
  now_ = std::move(fit);
  values_.clear();
  for (const Term& term : now_.terms) values_.push_back(evaluate(term));
  rescore();
}

std::vector<double> Search::evaluate(const Term& term) const {
  std::vector<double> z(rows());
  const std::vector<double>& x = columns_.values[term.column];
  for (std::size_t i = 0; i < rows(); ++i) z[i] = term.at(x[i]);
  return z;
}

void Search::rescore() {
  score_.assign(rows(), now_.intercept);
  for (std::size_t k = 0; k < values_.size(); ++k) {
    for (std::size_t i = 0; i < rows(); ++i) score_[i] += now_.terms[k].weight * values_[k][i];
  }
  reweigh();
}

/// Brings the likelihoods up to the scores and the link.
void Search::reweigh() {
  const Curve curve(now_.link);
  row_likelihood_.resize(rows());
  log_likelihood_ = 0;
  for (std::size_t i = 0; i < rows(); ++i) {
    row_likelihood_[i] = curve.log_likelihood(score_[i], labels_[i]);
    log_likelihood_ += row_likelihood_[i];
  }
}

// Fisher scoring of intercept, weights and asymptotes together, each step halved until it gains.
void Search::refit(int iterations) {
  constexpr double enough = 1e-4;
  for (int iteration = 0; iteration < iterations && !stopped(); ++iteration) {
    const double value = objective();
    const Curve curve(now_.link);
    Scoring scoring(values_.size(), now_.link.asymptotes);
    for (std::size_t i = 0; i < rows(); ++i) {
      scoring.add_row(RowSlopes(curve, score_[i], labels_[i]), [&](std::size_t k) { return values_[k][i]; });
    }
    const auto step = scoring.step(now_, settings_.ridge);
    if (!step) return;
    const AdditiveFit old = now_;
    double share = first_share(*step);
    double gain = 0;
    for (int halving = 0; halving < max_halvings && !(gain > 0); ++halving, share /= 2) {
      now_ = moved(old, *step, share);
      rescore();
      gain = objective() - value;
    }
    if (!(gain > 0)) {
      now_ = old;
      rescore();
      return;
    }
    if (gain < enough) return;
  }
}

Search::Leverage Search::leverage() const {
  Leverage out{std::vector<double>(rows()), std::vector<double>(rows()), 0};
  const Curve curve(now_.link);
  for (std::size_t i = 0; i < rows(); ++i) {
    const RowSlopes row(curve, score_[i], labels_[i]);
    out.u[i] = row.residual * row.by_score;
    out.h[i] = row.by_score * row.by_score * row.inverse_variance;
    out.total_h += out.h[i];
  }
  return out;
}

// Rao's score test, the intercept refitted: twice the log-likelihood would grow by about u^2 / variance.
void Search::offer(double u, double h, double total_h, std::size_t count, const Term& term, Candidate& best) const {
  constexpr double least_variance = 1e-6;
  if (count < min_rows || rows() - count < min_rows) return;
  const double variance = h - h * h / total_h;
  if (!(variance > least_variance)) return;
  const double surplus = u * u / variance - charge();
  if (surplus > best.surplus) best = {surplus, term};
}

Search::Candidate Search::best_addition() const {
  const Leverage by = leverage();
  Candidate best;
  for (std::size_t column = 0; column < sorted_.size(); ++column) {
    double u = 0;
    double h = 0;
    for (const std::uint32_t row : sorted_[column].missing) {
      u += by.u[row];
      h += by.h[row];
    }
    offer(u, h, by.total_h, sorted_[column].missing.size(), {column, Term::Kind::missing}, best);
    offer_cuts(column, by, best);
    if (settings_.slopes && !columns_.categorical[column]) offer_slope(column, by, best);
  }
  return best;
}

/// Every step of a numeric column, every category of a categorical one, from the greatest value down.
void Search::offer_cuts(std::size_t column, const Leverage& by, Candidate& best) const {
  const SortedColumn& sorted = sorted_[column];
  double u = 0;
  double h = 0;
  for (std::size_t group = sorted.starts.size(); group-- > 0;) {
    const std::size_t begin = sorted.starts[group];
    const std::size_t end = sorted.end_of(group);
    for (std::size_t at = begin; at < end; ++at) {
      u += by.u[sorted.order[at]];
      h += by.h[sorted.order[at]];
    }
    if (columns_.categorical[column]) {
      const double code = columns_.values[column][sorted.order[begin]];
      offer(u, h, by.total_h, end - begin, {column, Term::Kind::equals, code}, best);
      u = h = 0;
    } else if (group > 0) {
      const double before = best.surplus;
      offer(u, h, by.total_h, sorted.order.size() - begin, {column, Term::Kind::at_least}, best);
      if (best.surplus > before) best.term.value = cut_before(column, group);
    }
  }
}

void Search::offer_slope(std::size_t column, const Leverage& by, Candidate& best) const {
  const SortedColumn& sorted = sorted_[column];
  const bool has_one = std::any_of(now_.terms.begin(), now_.terms.end(), [&](const Term& term) {
    return term.kind == Term::Kind::slope && term.column == column;
  });
  if (has_one || !(sorted.deviation > 0) || !std::isfinite(sorted.deviation)) return;
  const Term slope{column, Term::Kind::slope, sorted.mean, sorted.deviation};
  double u = 0;
  double hz = 0;
  double hzz = 0;
  for (const std::uint32_t row : sorted.order) {
    const double z = slope.at(columns_.values[column][row]);
    u += by.u[row] * z;
    hz += by.h[row] * z;
    hzz += by.h[row] * z * z;
  }
  const double variance = hzz - hz * hz / by.total_h;
  const double surplus = variance > 1e-6 ? u * u / variance - charge() : 0;
  if (surplus > best.surplus) best = {surplus, slope};
}

double Search::cut_before(std::size_t column, std::size_t group) const {
  const SortedColumn& sorted = sorted_[column];
  const std::vector<double>& x = columns_.values[column];
  const std::size_t at = sorted.starts[group];
  const auto cut = cut_between(static_cast<float>(x[sorted.order[at - 1]]), static_cast<float>(x[sorted.order[at]]));
  return static_cast<double>(cut);
}

bool Search::add_terms() {
  bool any = false;
  while (now_.terms.size() < max_terms && !stopped()) {
    const Candidate best = best_addition();
    if (!(best.surplus > 0)) break;
    const AdditiveFit old = now_;
    const double before = objective();
    now_.terms.push_back(best.term);
    values_.push_back(evaluate(best.term));
    refit(8);
    if (2 * (objective() - before) < charge() / 2) {  // the estimate was far off
      start_from(old);
      break;
    }
    any = true;
  }
  return any;
}

/// What the log-likelihood would lose without term k, all else kept.
double Search::loss_without(std::size_t k) const {
  const Curve curve(now_.link);
  double loss = 0;
  for (std::size_t i = 0; i < rows(); ++i) {
    const double z = values_[k][i];
    if (z == 0) continue;
    loss += row_likelihood_[i] - curve.log_likelihood(score_[i] - now_.terms[k].weight * z, labels_[i]);
  }
  return loss;
}

/// Drops terms that no longer earn their charge, the weakest first.
bool Search::prune() {
  bool any = false;
  while (!now_.terms.empty() && !stopped()) {
    std::size_t weakest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < values_.size(); ++k) {
      const double loss = loss_without(k);
      if (loss < least) {
        least = loss;
        weakest = k;
      }
    }
    const AdditiveFit old = now_;
    const double before = objective();
    now_.terms.erase(now_.terms.begin() + static_cast<std::ptrdiff_t>(weakest));
    values_.erase(values_.begin() + static_cast<std::ptrdiff_t>(weakest));
    rescore();
    refit(8);
    if (2 * (before - objective()) >= charge()) {
      start_from(old);
      break;
    }
    any = true;
  }
  return any;
}

/// The exact best cut of one step, all else kept: one pass from the greatest value down, adding up what the rows gain
/// that the step then takes in.
bool Search::move_cut(std::size_t k) {
  Term& term = now_.terms[k];
  if (term.kind != Term::Kind::at_least) return false;
  constexpr double least_gain = 1e-6;
  const Curve curve(now_.link);
  const SortedColumn& sorted = sorted_[term.column];
  const std::vector<double>& x = columns_.values[term.column];
  double sum = 0;
  double here = 0;
  double best = -std::numeric_limits<double>::infinity();
  std::size_t best_group = 0;
  for (std::size_t group = sorted.starts.size(); group-- > 1;) {
    const std::size_t begin = sorted.starts[group];
    for (std::size_t at = begin; at < sorted.end_of(group); ++at) {
      const std::uint32_t row = sorted.order[at];
      const bool inside = values_[k][row] != 0;
      const double other = curve.log_likelihood(score_[row] + (inside ? -term.weight : term.weight), labels_[row]);
      sum += inside ? row_likelihood_[row] - other : other - row_likelihood_[row];
    }
    if (x[sorted.order[begin]] >= term.value) here = sum;
    const std::size_t above = sorted.order.size() - begin;
    if (above < min_rows || rows() - above < min_rows) continue;
    if (sum > best) {
      best = sum;
      best_group = group;
    }
  }
  if (!(best > here + least_gain)) return false;
  term.value = cut_before(term.column, best_group);
  values_[k] = evaluate(term);
  rescore();
  return true;
}

void Search::move_all_cuts() {
  constexpr int max_rounds = 10;
  for (int round = 0; round < max_rounds; ++round) {
    bool any = false;
    for (std::size_t k = 0; k < values_.size() && !stopped(); ++k) any = move_cut(k) || any;
    if (!any) return;
    refit(5);
  }
}

/// Refits, moves cuts, adds and prunes until nothing changes.
void Search::improve() {
  constexpr double enough = 1e-3;
  refit(60);
  for (int sweep = 0; sweep < max_sweeps && !stopped(); ++sweep) {
    const double before = objective();
    move_all_cuts();
    refit(30);
    const bool added = add_terms();
    const bool pruned = prune();
    if (!added && !pruned && objective() - before < enough) return;
  }
}

std::optional<AdditiveFit> Search::run() {
  const auto positives = static_cast<double>(std::count(labels_.begin(), labels_.end(), std::uint8_t{1}));
  const double rate = (positives + 0.5) / (static_cast<double>(rows()) + 1);
  start_from({std::log(rate) - std::log1p(-rate), {}, {}});
  add_terms();
  const AdditiveFit first = now_;
  if (!settings_.must_bend || first.terms.empty()) improve();
  const AdditiveFit straight = now_;
  const double straight_worth = worth();
  if (settings_.may_bend && !first.terms.empty()) {
    AdditiveFit bent = first;
    bent.link = {true, asymptote_prior, asymptote_prior};
    start_from(std::move(bent));
    improve();
    if (!settings_.must_bend && !(worth() > straight_worth)) now_ = straight;
  }
  if (stopped()) return std::nullopt;
  return now_;
}

/// A cell as the terms see it.
double seen(double raw, bool categorical) {
  if (std::isnan(raw) || (categorical && raw < 0)) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(model::AdditiveShape::rounded(raw));
}

/// A row's terms evaluated from the matrix.
class RowTerms {
 public:
  RowTerms(const AdditiveFit& fit, features::MatrixView<double> rows, const std::vector<bool>& categorical)
      : fit_(fit), rows_(rows), categorical_(categorical), values_(fit.terms.size()) {}

  /// Returns the score.
  double read(std::size_t row) {
    double score = fit_.intercept;
    for (std::size_t k = 0; k < values_.size(); ++k) {
      const Term& term = fit_.terms[k];
      const double raw = rows_(row, term.column);
      values_[k] = term.at(seen(raw, categorical_[term.column]));
      score += term.weight * values_[k];
    }
    return score;
  }
  double operator()(std::size_t k) const { return values_[k]; }

 private:
  const AdditiveFit& fit_;
  features::MatrixView<double> rows_;
  const std::vector<bool>& categorical_;
  std::vector<double> values_;
};

}  // namespace

double Term::at(double x) const {
  switch (kind) {
    case Kind::at_least: return x >= value ? 1 : 0;
    case Kind::equals: return x == value ? 1 : 0;
    case Kind::missing: return std::isnan(x) ? 1 : 0;
    case Kind::slope: break;
  }
  return std::isnan(x) ? 0 : std::clamp((x - value) / scale, -reach, reach);
}

double Link::floor() const { return asymptotes ? sigmoid(floor_logit) / 2 : 0; }
double Link::drop() const { return asymptotes ? sigmoid(drop_logit) / 2 : 0; }

Columns columns_of(features::MatrixView<double> from, std::span<const std::size_t> rows,
                   const std::vector<bool>& categorical) {
  Columns out{std::vector<std::vector<double>>(from.columns), categorical};
  for (std::size_t column = 0; column < from.columns; ++column) {
    out.values[column].reserve(rows.size());
    for (const std::size_t row : rows) {
      const double raw = from(row, column);
      out.values[column].push_back(seen(raw, categorical[column]));
    }
  }
  return out;
}

std::optional<AdditiveFit> find_terms(const Columns& columns, std::span<const std::uint8_t> labels,
                                      const AdditiveSettings& settings, const StopRequested& stop_requested) {
  return Search(columns, labels, settings, stop_requested).run();
}

std::optional<AdditiveFit> refit(AdditiveFit fit, features::MatrixView<double> rows,
                                 std::span<const std::uint8_t> labels, const std::vector<bool>& categorical,
                                 const AdditiveSettings& settings, unsigned threads,
                                 const StopRequested& stop_requested) {
  constexpr int max_iterations = 30;
  const double enough = 1e-8 * static_cast<double>(rows.rows);
  const auto objective = [&](const AdditiveFit& at) {
    const Curve curve(at.link);
    const auto add_rows = [&](Total& sum, std::size_t begin, std::size_t end) {
      RowTerms terms(at, rows, categorical);
      for (std::size_t i = begin; i < end; ++i) sum.value += curve.log_likelihood(terms.read(i), labels[i]);
    };
    return sum_chunks(rows.rows, threads, Total{}, add_rows).value - penalty(at, settings.ridge);
  };
  double value = objective(fit);
  for (int iteration = 0; iteration < max_iterations; ++iteration) {
    if (stop_requested()) return std::nullopt;
    const Curve curve(fit.link);
    const Scoring zero(fit.terms.size(), fit.link.asymptotes);
    Scoring scoring = sum_chunks(rows.rows, threads, zero, [&](Scoring& sum, std::size_t begin, std::size_t end) {
      RowTerms terms(fit, rows, categorical);
      for (std::size_t i = begin; i < end; ++i) {
        const double score = terms.read(i);
        sum.add_row(RowSlopes(curve, score, labels[i]), [&](std::size_t k) { return terms(k); });
      }
    });
    const auto step = scoring.step(fit, settings.ridge);
    if (!step) return fit;
    double share = first_share(*step);
    double gain = 0;
    AdditiveFit next;
    for (int halving = 0; halving < max_halvings && !(gain > 0); ++halving, share /= 2) {
      next = moved(fit, *step, share);
      gain = objective(next) - value;
    }
    if (!(gain > 0)) return fit;
    fit = std::move(next);
    value += gain;
    if (gain < enough) return fit;
  }
  return fit;
}

float cut_between(float low, float high) {
  assert(low < high);
  const auto middle = static_cast<float>((static_cast<double>(low) + static_cast<double>(high)) / 2);
  return low < middle ? middle : high;
}

}  // namespace dropscore::learn
