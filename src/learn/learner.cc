#include "learn/learner.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>

#include <fmt/format.h>

#include "learn/additive.h"
#include "learn/boosted.h"
#include "learn/constant.h"
#include "learn/forest.h"
#include "learn/logistic.h"
#include "learn/parallel.h"
#include "learn/svm.h"
#include "metrics/random.h"
#include "metrics/split.h"

namespace dropscore::learn {
namespace {

struct Fold {
  const Learner& learner;
  const TrainingSet& data;
  const Parameters& parameters;
  const LearnContext& context;

  /// Fits on the rows outside `fold` and writes the decision values of those inside it.
  Status decide(std::span<const std::uint32_t> fold_of, std::uint32_t fold, std::span<double> decisions) const {
    std::vector<std::size_t> inside;
    std::vector<std::size_t> outside;
    for (std::size_t row = 0; row < fold_of.size(); ++row) (fold_of[row] == fold ? inside : outside).push_back(row);
    const features::Matrix<double> rows = features::gather(data.rows, outside);
    std::vector<std::uint8_t> labels;
    labels.reserve(outside.size());
    for (const std::size_t row : outside) labels.push_back(data.labels[row]);
    DROPSCORE_TRY(const auto form, learner.fit({rows.view(), labels, data.schema}, parameters, context));
    const features::Matrix<double> held = features::gather(data.rows, inside);
    std::vector<double> values(inside.size());
    form->decide(held.view(), values);
    for (std::size_t i = 0; i < inside.size(); ++i) decisions[inside[i]] = values[i];
    return {};
  }
};

}  // namespace

std::span<const Learner* const> learners() {
  static const std::array all{
      &additive_learner(), &boosted_learner(),  &forest_learner(),
      &svm_learner(),      &logistic_learner(), &constant_learner(),
  };
  return all;
}

Result<const Learner*> find_learner(std::string_view name) {
  std::string known;
  for (const Learner* learner : learners()) {
    if (learner->name() == name) return learner;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", learner->name());
  }
  return fail(ErrorKind::misuse, fmt::format("no model is called \"{}\"; there are: {}", name, known));
}

Result<std::vector<std::uint32_t>> training_folds(std::span<const std::uint8_t> labels, std::uint32_t seed,
                                                  std::uint32_t folds) {
  const std::vector<std::size_t> order = metrics::NumpyRandom(seed).permutation(labels.size());
  std::vector<std::uint8_t> shuffled(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) shuffled[i] = labels[order[i]];
  DROPSCORE_TRY(const std::vector<std::uint32_t> dealt, metrics::stratified_folds(shuffled, folds));
  std::vector<std::uint32_t> fold_of(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) fold_of[order[i]] = dealt[i];
  return fold_of;
}

Result<std::vector<double>> Learner::decide_out_of_fold(const TrainingSet& data, const Parameters& parameters,
                                                        std::span<const std::uint32_t> fold_of,
                                                        const LearnContext& context) const {
  assert(fold_of.size() == data.labels.size() && !fold_of.empty());
  std::vector<double> decisions(data.labels.size());
  LearnContext inner = context;
  inner.threads = 1;
  const Fold one{*this, data, parameters, inner};
  const std::uint32_t folds = *std::max_element(fold_of.begin(), fold_of.end()) + 1;
  std::vector<Status> outcomes(folds);
  for_each_index(folds, context.threads, [&](std::size_t fold) {
    outcomes[fold] = one.decide(fold_of, static_cast<std::uint32_t>(fold), decisions);
  });
  for (const Status& outcome : outcomes) DROPSCORE_CHECK(outcome);
  return decisions;
}

Result<std::vector<double>> out_of_fold_decisions(const Learner& learner, const TrainingSet& data,
                                                  const Parameters& parameters, const LearnContext& context,
                                                  std::uint32_t folds) {
  DROPSCORE_TRY(const std::vector<std::uint32_t> fold_of, training_folds(data.labels, context.seed, folds));
  return learner.decide_out_of_fold(data, parameters, fold_of, context);
}

}  // namespace dropscore::learn
