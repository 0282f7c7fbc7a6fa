#include "learn/additive.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "learn/additive_terms.h"
#include "learn/parallel.h"
#include "learn/parameters.h"
#include "metrics/random.h"

namespace dropscore::learn {
namespace {

Result<AdditiveSettings> read_settings(const Learner& learner, const Parameters& given) {
  DROPSCORE_TRY(const Parameters parameters, with_defaults(learner, given));
  AdditiveSettings settings;
  const std::string& slopes = parameters.at("slopes");
  if (slopes != "true" && slopes != "false") {
    return bad_parameter(learner, parameters, "slopes", "neither true nor false");
  }
  settings.slopes = slopes == "true";
  // A line chooses no cut, so that beside lines a term has less to win by chance and may cost less.
  settings.charge = settings.slopes ? 1 : 2;
  if (parameters.at("charge") != "auto") {
    auto charge = positive_number(learner, parameters, "charge");
    if (!charge) return bad_parameter(learner, parameters, "charge", "neither \"auto\" nor a number over 0");
    settings.charge = *charge;
  }
  DROPSCORE_TRY(settings.ridge, positive_number(learner, parameters, "ridge"));
  return settings;
}

std::vector<bool> categorical_columns(const schema::Schema& schema) {
  std::vector<bool> out;
  for (const schema::Feature& feature : schema.features) out.push_back(feature.kind == schema::Kind::categorical);
  return out;
}

/// Samples of `count` rows or nearly so, with as large a share of either class as there is, ascending. One draws on
/// where the one before it ended, so that they overlap only where the rows do not suffice for all.
std::vector<std::vector<std::size_t>> samples(std::span<const std::uint8_t> labels, std::size_t number,
                                              std::size_t count, std::uint32_t seed) {
  std::array<std::vector<std::size_t>, 2> classes;
  for (const std::size_t row : metrics::NumpyRandom(seed).permutation(labels.size())) {
    classes[labels[row] != 0 ? 1 : 0].push_back(row);
  }
  const double share = static_cast<double>(count) / static_cast<double>(labels.size());
  std::vector<std::vector<std::size_t>> out(number);
  for (const std::vector<std::size_t>& rows : classes) {
    const auto due = static_cast<std::size_t>(std::ceil(share * static_cast<double>(rows.size())));
    std::size_t next = 0;
    for (std::vector<std::size_t>& one : out) {
      for (std::size_t i = 0; i < due; ++i) one.push_back(rows[next++ % rows.size()]);
    }
  }
  for (std::vector<std::size_t>& one : out) std::sort(one.begin(), one.end());
  return out;
}

/// The fold of each row: each class shuffled and dealt out in turn, one class going on where the other ended.
std::vector<std::uint32_t> deal(std::span<const std::uint8_t> labels, std::uint32_t folds, std::uint32_t seed) {
  const std::vector<std::size_t> order = metrics::NumpyRandom(seed).permutation(labels.size());
  std::vector<std::uint32_t> fold_of(labels.size());
  std::uint32_t next = 0;
  for (const bool one : {false, true}) {
    for (const std::size_t row : order) {
      if ((labels[row] != 0) == one) fold_of[row] = next++ % folds;
    }
  }
  return fold_of;
}

struct Job {
  const TrainingSet& data;
  AdditiveSettings settings;
  std::vector<bool> categorical;
  const LearnContext& context;

  bool searches_samples() const { return data.rows.rows > max_searched_rows; }
  std::optional<AdditiveFit> fit_rows(std::span<const std::size_t> rows, const AdditiveSettings& how) const {
    std::vector<std::uint8_t> labels;
    labels.reserve(rows.size());
    for (const std::size_t row : rows) labels.push_back(data.labels[row]);
    return find_terms(columns_of(data.rows, rows, categorical), labels, how, context.stop_requested);
  }

  /// The rows that each member is fitted on, the first being the one that chooses the link.
  std::vector<std::vector<std::size_t>> choose_rows() const;
  /// The fits whose mean is the model; empty where stopped.
  std::vector<AdditiveFit> fit_members() const;
};

std::vector<std::vector<std::size_t>> Job::choose_rows() const {
  if (searches_samples()) return samples(data.labels, additive_members, max_searched_rows, context.seed);
  std::vector<std::vector<std::size_t>> out(1, std::vector<std::size_t>(data.rows.rows));
  std::iota(out.front().begin(), out.front().end(), std::size_t{0});
  constexpr std::uint32_t folds = additive_members - 1;
  const auto ones = std::count(data.labels.begin(), data.labels.end(), std::uint8_t{1});
  if (std::min(ones, std::ssize(data.labels) - ones) < std::ptrdiff_t{folds}) return out;  // a fold could want a class
  const std::vector<std::uint32_t> fold_of = deal(data.labels, folds, context.seed);
  out.resize(additive_members);
  for (std::size_t row = 0; row < fold_of.size(); ++row) {
    for (std::size_t fold = 0; fold < folds; ++fold) {
      if (fold_of[row] != fold) out[fold + 1].push_back(row);
    }
  }
  return out;
}

std::vector<AdditiveFit> Job::fit_members() const {
  const std::vector<std::vector<std::size_t>> rows = choose_rows();
  std::vector<std::optional<AdditiveFit>> fits(rows.size());
  fits.front() = fit_rows(rows.front(), settings);
  if (!fits.front()) return {};
  const bool asymptotes = fits.front()->link.asymptotes;
  AdditiveSettings same_link = settings;
  same_link.may_bend = same_link.must_bend = asymptotes;
  for_each_index(fits.size() - 1, context.threads,
                 [&](std::size_t i) { fits[i + 1] = fit_rows(rows[i + 1], same_link); });
  std::vector<AdditiveFit> members;
  for (std::optional<AdditiveFit>& fit : fits) {
    if (fit && searches_samples()) {
      fit = refit(std::move(*fit), data.rows, data.labels, categorical, settings, context.threads,
                  context.stop_requested);
    }
    if (!fit) return {};
    // A fit that found no term has no asymptotes either, and its score would be on another scale.
    if (fit->link.asymptotes == asymptotes) members.push_back(std::move(*fit));
  }
  return members;
}

/// Where a line begins and ends, as the form compares numbers.
double bend(const Term& line, double side) {
  return static_cast<double>(model::AdditiveShape::rounded(line.value + side * Term::reach * line.scale));
}

/// Adds what `term` makes of each bin.
void add_term(const Term& term, double share, model::AdditiveShape& shape) {
  const double weight = share * term.weight;
  shape.missing += weight * term.at(std::numeric_limits<double>::quiet_NaN());
  const double low = bend(term, -1);
  const double high = bend(term, 1);
  for (std::size_t bin = 0; bin < shape.contribution.size(); ++bin) {
    if (shape.categorical) {
      shape.contribution[bin] += weight * term.at(static_cast<double>(bin));
      continue;
    }
    const double begin = bin == 0 ? -std::numeric_limits<double>::infinity() : shape.cuts[bin - 1];
    shape.contribution[bin] += weight * term.at(begin);
    if (term.kind == Term::Kind::slope && low <= begin && begin < high) shape.slope[bin] += weight / term.scale;
  }
}

/// The terms of all members on one column as one table.
model::AdditiveShape shape_of(const std::vector<AdditiveFit>& members, std::size_t column,
                              const schema::Feature& feature) {
  std::vector<Term> terms;
  for (const AdditiveFit& member : members) {
    for (const Term& term : member.terms) {
      if (term.column == column) terms.push_back(term);
    }
  }
  model::AdditiveShape shape;
  shape.categorical = feature.kind == schema::Kind::categorical;
  bool sloped = false;
  for (const Term& term : terms) {
    if (term.kind == Term::Kind::at_least) shape.cuts.push_back(term.value);
    if (term.kind != Term::Kind::slope) continue;
    sloped = true;
    shape.cuts.push_back(bend(term, -1));
    shape.cuts.push_back(bend(term, 1));
  }
  std::sort(shape.cuts.begin(), shape.cuts.end());
  shape.cuts.erase(std::unique(shape.cuts.begin(), shape.cuts.end()), shape.cuts.end());
  const std::size_t bins =
      shape.categorical ? std::max<std::size_t>(1, feature.categories.size()) : shape.cuts.size() + 1;
  shape.contribution.assign(bins, 0.0);
  if (sloped) shape.slope.assign(bins, 0.0);
  for (const Term& term : terms) add_term(term, 1 / static_cast<double>(members.size()), shape);
  return shape;
}

/// Moves a shape so that its mean over the training rows is 0, and returns what it was. A missing value, an unknown
/// category or a category without a row gets what such rows got in training; where there were none, the mean.
double centre(model::AdditiveShape& shape, features::MatrixView<double> rows, std::size_t column) {
  double sum = 0;
  bool any_missing = false;
  std::vector<bool> seen(shape.contribution.size(), !shape.categorical);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const double x = rows(row, column);
    const bool missing = std::isnan(x) || (shape.categorical && x < 0);
    any_missing = any_missing || missing;
    if (shape.categorical && !missing && x < static_cast<double>(seen.size())) seen[static_cast<std::size_t>(x)] = true;
    sum += shape.at(x);
  }
  const double mean = sum / static_cast<double>(rows.rows);
  shape.missing = any_missing ? shape.missing - mean : 0;
  for (std::size_t bin = 0; bin < seen.size(); ++bin) {
    shape.contribution[bin] = seen[bin] ? shape.contribution[bin] - mean : shape.missing;
  }
  return mean;
}

model::AdditiveForm mean_of(const std::vector<AdditiveFit>& members, const TrainingSet& data, unsigned threads) {
  const double share = 1 / static_cast<double>(members.size());
  model::AdditiveForm form;
  for (const AdditiveFit& member : members) {
    form.intercept += share * member.intercept;
    form.floor += share * member.link.floor();
    form.drop += share * member.link.drop();
  }
  form.shapes.resize(data.rows.columns);
  std::vector<double> means(data.rows.columns);
  for_each_index(data.rows.columns, threads, [&](std::size_t column) {
    form.shapes[column] = shape_of(members, column, data.schema->features[column]);
    means[column] = centre(form.shapes[column], data.rows, column);
  });
  for (const double mean : means) form.intercept += mean;
  return form;
}

class AdditiveLearner final : public Learner {
 public:
  std::string_view name() const override { return "additive"; }
  Parameters defaults() const override { return {{"slopes", "false"}, {"charge", "auto"}, {"ridge", "0.03"}}; }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                const LearnContext& context) const override {
    assert(data.schema != nullptr && data.schema->size() == data.rows.columns);
    assert(data.rows.rows == data.labels.size() && data.rows.rows > 0);
    DROPSCORE_TRY(const AdditiveSettings settings, read_settings(*this, parameters));
    const Job job{data, settings, categorical_columns(*data.schema), context};
    const std::vector<AdditiveFit> members = job.fit_members();
    if (members.empty()) return fail(ErrorKind::give_up, "stopped while fitting");
    model::AdditiveForm form = mean_of(members, data, context.threads);
    if (const std::string wrong = model::Additive::check(form); !wrong.empty()) {
      return fail(ErrorKind::give_up, "the additive model cannot be fitted to these numbers: " + wrong);
    }
    return std::make_unique<model::Additive>(std::move(form));
  }
};

}  // namespace

const Learner& additive_learner() {
  static const AdditiveLearner learner;
  return learner;
}

}  // namespace dropscore::learn
