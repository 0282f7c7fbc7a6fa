#include "learn/learner.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "learn/parallel.h"
#include "learn/svm.h"
#include "metrics/random.h"
#include "metrics/split.h"

namespace dropscore::learn {
namespace {

/// The fold of each row: as equal as may be within each class, dealt over the rows in shuffled order.
Result<std::vector<std::uint32_t>> shuffled_folds(std::span<const std::uint8_t> labels, std::uint32_t seed,
                                                  std::uint32_t folds) {
  const std::vector<std::size_t> order = metrics::NumpyRandom(seed).permutation(labels.size());
  std::vector<std::uint8_t> shuffled(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) shuffled[i] = labels[order[i]];
  DROPSCORE_TRY(const std::vector<std::uint32_t> dealt, metrics::stratified_folds(shuffled, folds));
  std::vector<std::uint32_t> fold_of(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) fold_of[order[i]] = dealt[i];
  return fold_of;
}

struct Fold {
  const Learner& learner;
  const TrainingSet& data;
  const Parameters& parameters;
  const LearnContext& context;

  /// Fits on the rows outside `fold` and writes the decision values of those inside it.
  Status decide(const std::vector<std::uint32_t>& fold_of, std::uint32_t fold, std::span<double> decisions) const {
    std::vector<std::size_t> inside;
    std::vector<std::size_t> outside;
    for (std::size_t row = 0; row < fold_of.size(); ++row) (fold_of[row] == fold ? inside : outside).push_back(row);
    const features::Matrix<double> rows = features::gather(data.rows, outside);
    std::vector<std::uint8_t> labels;
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
  static const std::array<const Learner*, 1> all{&svm_learner()};
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

Result<std::vector<double>> out_of_fold_decisions(const Learner& learner, const TrainingSet& data,
                                                  const Parameters& parameters, const LearnContext& context,
                                                  std::uint32_t folds) {
  DROPSCORE_TRY(const std::vector<std::uint32_t> fold_of, shuffled_folds(data.labels, context.seed, folds));
  std::vector<double> decisions(data.labels.size());
  // The folds share the threads: a fit within one runs on one.
  LearnContext inner = context;
  inner.threads = 1;
  const Fold one{learner, data, parameters, inner};
  std::vector<Status> outcomes(folds);
  for_each_index(folds, context.threads, [&](std::size_t fold) {
    outcomes[fold] = one.decide(fold_of, static_cast<std::uint32_t>(fold), decisions);
  });
  for (const Status& outcome : outcomes) DROPSCORE_CHECK(outcome);
  return decisions;
}

}  // namespace dropscore::learn
