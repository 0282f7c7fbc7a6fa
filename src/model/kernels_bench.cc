// Rows a second of each kernel, on made-up models of real ones' sizes and on each target that this machine runs. Every
// benchmark compares its answers with the double path first. Argument: a place in the list of targets, best first;
// the label names it. Times are the processor's, of one thread.
#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include <benchmark/benchmark.h>
#include <hwy/targets.h>

#include "model/additive.h"
#include "model/calibration.h"
#include "model/logistic.h"
#include "model/svm.h"
#include "model/trees.h"

namespace dropscore::model {
namespace {

constexpr std::size_t columns = 16;
constexpr std::size_t rows_at_once = 4096;

Standardizer unit_standardizer() {
  return {std::vector<double>(columns, 0.5), std::vector<double>(columns, 1.25), std::vector<double>(columns, 0.5),
          std::vector<bool>(columns, false)};
}

/// The original's machine has 1,685 support vectors, C = 10 and gamma = 0.01.
std::unique_ptr<Predictor> make_svm(double gamma) {
  std::mt19937 engine(1);
  std::normal_distribution<double> normal;
  SvmForm form;
  form.parameters = {.kernel = Kernel::rbf, .C = 10, .gamma = gamma};
  form.standardizer = unit_standardizer();
  form.support_vectors = features::Matrix<double>(1685, columns);
  for (std::size_t i = 0; i < 1685; ++i) {
    for (double& value : form.support_vectors.row(i)) value = normal(engine);
    form.coefficients.push_back(i < 842 ? -9.15 : 9.15);
  }
  return std::make_unique<Svm>(std::move(form));
}

std::unique_ptr<Predictor> make_logistic() {
  std::vector<double> coefficients;
  for (std::size_t j = 0; j < columns; ++j) coefficients.push_back(static_cast<double>(j) / 8 - 1);
  return std::make_unique<Logistic>(LogisticForm{1, unit_standardizer(), 0.5, coefficients});
}

std::unique_ptr<Predictor> make_additive(std::size_t cuts) {
  AdditiveForm form;
  form.floor = 0.016;
  form.drop = 0.04;
  for (std::size_t j = 0; j < columns; ++j) {
    AdditiveShape shape;
    for (std::size_t k = 0; k < cuts; ++k) {
      shape.cuts.push_back(-2 + 4 * static_cast<double>(k + 1) / static_cast<double>(cuts + 1));
    }
    for (std::size_t k = 0; k <= cuts; ++k) shape.contribution.push_back(std::sin(static_cast<double>(j + 3 * k)));
    form.shapes.push_back(std::move(shape));
  }
  return std::make_unique<Additive>(std::move(form));
}

/// Trees that divide at random until `depth` or, more often the deeper, before. A forest's of depth 20 have some 1,100
/// nodes, as those grown on 6,400 rows.
std::unique_ptr<Predictor> make_trees(TreeRule rule, std::size_t count, std::size_t depth, std::size_t most_nodes) {
  std::mt19937 engine(2);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> thresholds(columns);
  for (auto& one : thresholds) std::generate_n(std::back_inserter(one), 250, [&] { return normal(engine); });
  TreesForm form;
  form.rule = rule;
  form.categorical.assign(columns, false);
  for (std::size_t tree = 0; tree < count; ++tree) {
    std::vector<TreeNode> nodes(1);
    std::vector<std::size_t> depths{0};
    std::vector<std::size_t> open{0};
    while (!open.empty()) {
      const std::size_t place = engine() % open.size();
      const std::size_t node = open[place];
      open[place] = open.back();
      open.pop_back();
      nodes[node].value = static_cast<float>(engine() % 1001) / 1000.0F;
      if (depths[node] >= depth || nodes.size() + 2 > most_nodes) continue;
      const std::size_t feature = engine() % columns;
      nodes[node] = {.feature = static_cast<std::int32_t>(feature),
                     .value = thresholds[feature][engine() % 250],
                     .left = static_cast<std::uint32_t>(nodes.size()),
                     .right = static_cast<std::uint32_t>(nodes.size() + 1),
                     .missing_left = engine() % 2 == 0};
      for (const std::size_t child : {nodes.size(), nodes.size() + 1}) open.push_back(child);
      nodes.resize(nodes.size() + 2);
      depths.resize(nodes.size(), depths[node] + 1);
    }
    form.trees.add(nodes);
  }
  return std::make_unique<Trees>(std::move(form));
}

const features::Matrix<float>& rows() {
  static const features::Matrix<float> all = [] {
    std::mt19937 engine(3);
    std::normal_distribution<float> normal;
    features::Matrix<float> made(rows_at_once, columns);
    for (std::size_t i = 0; i < rows_at_once; ++i) {
      for (float& cell : made.row(i)) cell = 0.5F + 1.25F * normal(engine);
    }
    return made;
  }();
  return all;
}

features::Matrix<double> wide_rows() {
  features::Matrix<double> wide(rows_at_once, columns);
  for (std::size_t i = 0; i < rows_at_once; ++i) {
    std::copy(rows().row(i).begin(), rows().row(i).end(), wide.row(i).begin());
  }
  return wide;
}

/// Whether single precision is within `tolerance` of double, everywhere.
bool agrees(const Predictor& predictor, double tolerance) {
  const features::Matrix<double> wide = wide_rows();
  std::vector<double> exact(rows_at_once);
  std::vector<double> fast(rows_at_once);
  predictor.decide(wide.view(), exact);
  predictor.decide(rows().view(), fast);
  for (std::size_t i = 0; i < rows_at_once; ++i) {
    if (!(std::abs(fast[i] - exact[i]) <= tolerance)) return false;
  }
  return true;
}

/// The double path, which no kernel takes part in.
void run_double(benchmark::State& state, const Predictor& predictor) {
  const features::Matrix<double> wide = wide_rows();
  std::vector<double> out(rows_at_once);
  for (auto _ : state) {
    predictor.decide(wide.view(), out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows_at_once));
}

/// Decides `at_once` rows over and over.
void run(benchmark::State& state, const Predictor& predictor, std::size_t at_once, double tolerance) {
  const std::int64_t target = hwy::SupportedAndGeneratedTargets()[static_cast<std::size_t>(state.range(0))];
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  state.SetLabel(hwy::TargetName(target));
  if (agrees(predictor, tolerance)) {
    std::vector<double> out(at_once);
    std::size_t first = 0;
    for (auto _ : state) {
      predictor.decide(rows().view().block(first, at_once), out);
      benchmark::DoNotOptimize(out.data());
      first = (first + at_once) % (rows_at_once / at_once * at_once);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(at_once));
  } else {
    state.SkipWithError("the answers are not those of double precision");
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

void all_targets(benchmark::internal::Benchmark* one) {
  const auto count = static_cast<std::int64_t>(hwy::SupportedAndGeneratedTargets().size());
  for (std::int64_t target = 0; target < count; ++target) one->Arg(target);
}

// Decision values. The machine is near, middle or far by its gamma (docs/decisions/0013-scoring-kernels.md).
void BM_Rbf(benchmark::State& state) { run(state, *make_svm(0.01), rows_at_once, 1e-5); }
void BM_RbfOneRow(benchmark::State& state) { run(state, *make_svm(0.01), 1, 1e-5); }
void BM_RbfMiddle(benchmark::State& state) { run(state, *make_svm(0.04), rows_at_once, 1e-5); }
void BM_RbfFar(benchmark::State& state) { run(state, *make_svm(0.2), rows_at_once, 1e-5); }
void BM_Logistic(benchmark::State& state) { run(state, *make_logistic(), rows_at_once, 1e-12); }
void BM_Additive(benchmark::State& state) { run(state, *make_additive(4), rows_at_once, 1e-12); }
void BM_AdditiveManyCuts(benchmark::State& state) { run(state, *make_additive(40), rows_at_once, 1e-12); }
void BM_Forest(benchmark::State& state) { run(state, *make_trees(TreeRule::forest, 100, 20, 1100), rows_at_once, 0); }
void BM_ForestOneRow(benchmark::State& state) { run(state, *make_trees(TreeRule::forest, 100, 20, 1100), 1, 0); }
void BM_Boosted(benchmark::State& state) { run(state, *make_trees(TreeRule::boosted, 500, 1, 3), rows_at_once, 1e-10); }
void BM_BoostedDepth4(benchmark::State& state) {
  run(state, *make_trees(TreeRule::boosted, 500, 4, 31), rows_at_once, 0);
}
void BM_RbfDouble(benchmark::State& state) { run_double(state, *make_svm(0.01)); }
void BM_LogisticDouble(benchmark::State& state) { run_double(state, *make_logistic()); }
void BM_AdditiveDouble(benchmark::State& state) { run_double(state, *make_additive(4)); }
void BM_ForestDouble(benchmark::State& state) { run_double(state, *make_trees(TreeRule::forest, 100, 20, 1100)); }
BENCHMARK(BM_RbfDouble);
BENCHMARK(BM_LogisticDouble);
BENCHMARK(BM_AdditiveDouble);
BENCHMARK(BM_ForestDouble);
BENCHMARK(BM_Rbf)->Apply(all_targets);
BENCHMARK(BM_RbfOneRow)->Apply(all_targets);
BENCHMARK(BM_RbfMiddle)->Apply(all_targets);
BENCHMARK(BM_RbfFar)->Apply(all_targets);
BENCHMARK(BM_Logistic)->Apply(all_targets);
BENCHMARK(BM_Additive)->Apply(all_targets);
BENCHMARK(BM_AdditiveManyCuts)->Apply(all_targets);
BENCHMARK(BM_Forest)->Apply(all_targets);
BENCHMARK(BM_ForestOneRow)->Arg(0);
BENCHMARK(BM_Boosted)->Apply(all_targets);
BENCHMARK(BM_BoostedDepth4)->Arg(0);

/// Probabilities of decision values.
void BM_Sigmoids(benchmark::State& state) {
  const Calibration platt{.kind = CalibrationKind::platt, .A = -2.45, .B = 0.7};
  std::vector<double> decisions;
  for (std::size_t i = 0; i < rows_at_once; ++i) decisions.push_back(static_cast<double>(rows()(i, 0)));
  std::vector<double> probabilities(rows_at_once);
  for (auto _ : state) {
    platt.apply(decisions, probabilities);
    benchmark::DoNotOptimize(probabilities.data());
  }
  for (std::size_t i = 0; i < rows_at_once; ++i) {
    if (std::abs(probabilities[i] - platt.probability_of(decisions[i])) > 1e-15) state.SkipWithError("no sigmoid");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows_at_once));
}
BENCHMARK(BM_Sigmoids);

}  // namespace
}  // namespace dropscore::model
