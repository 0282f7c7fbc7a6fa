#include "job/judge.h"

namespace dropscore::job {

result::Evaluation judge(const model::Model& model, features::MatrixView<double> rows,
                         std::span<const std::uint8_t> labels, std::optional<std::uint32_t> bootstrap_seed) {
  std::vector<model::Score> scores(labels.size());
  model.score(rows, std::span<model::Score>(scores));
  std::vector<double> probabilities;
  std::vector<std::uint8_t> decisions;
  for (const model::Score& score : scores) {
    probabilities.push_back(score.probability);
    decisions.push_back(score.converts ? 1 : 0);
  }
  return result::evaluate(labels, probabilities, decisions, bootstrap_seed);
}

result::Evaluation judge_constant(double rate, std::span<const std::uint8_t> labels) {
  const std::vector<double> probabilities(labels.size(), rate);
  const std::vector<std::uint8_t> decisions(labels.size(), rate >= 0.5 ? 1 : 0);
  return result::evaluate(labels, probabilities, decisions, std::nullopt);
}

}  // namespace dropscore::job
