// The support vector machine's parts on made-up rows of the original's shape: 6,400 x 16, 88 % of class 1.
#include <random>

#include <benchmark/benchmark.h>

#include "learn/linear_svm.h"
#include "learn/svc_fit.h"
#include "learn/svm_grid.h"
#include "metrics/split.h"

namespace dropscore::learn {
namespace {

struct Rows {
  Rows() : x(6400, 16) {
    std::mt19937_64 engine(1);
    std::normal_distribution<double> normal;
    for (std::uint32_t i = 0; i < 6400; ++i) {
      double merit = 1.6;
      for (std::size_t f = 0; f < 16; ++f) {
        x(i, f) = normal(engine);
        if (f < 6) merit += 0.5 * x(i, f);
      }
      labels.push_back(merit + normal(engine) > 0 ? 1 : 0);
      (labels[i] != 0 ? class_1 : class_0).push_back(i);
    }
  }
  features::Matrix<double> x;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> class_0;
  std::vector<std::uint32_t> class_1;
};

const Rows& rows() {
  static const Rows all;
  return all;
}

void BM_FillGram(benchmark::State& state) {
  GramMatrix gram = GramMatrix::allocate(6400).value();
  for (auto _ : state) gram.fill(rows().x, model::Kernel::rbf, 0.01, static_cast<unsigned>(state.range(0)));
  state.SetItemsProcessed(state.iterations() * 6400 * 6400);
}
BENCHMARK(BM_FillGram)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

/// Arguments: C, then 1000 gamma.
void BM_Fit(benchmark::State& state) {
  GramMatrix gram = GramMatrix::allocate(6400).value();
  gram.fill(rows().x, model::Kernel::rbf, static_cast<double>(state.range(1)) / 1000, 2);
  SvcOptions options;
  options.C = static_cast<double>(state.range(0));
  SmoWorkspace workspace;
  std::uint64_t iterations = 0;
  for (auto _ : state) {
    const SvcFit fit = fit_svc(gram, rows().class_0, rows().class_1, options, workspace).value();
    iterations += fit.iterations;
  }
  state.counters["iterations/s"] = benchmark::Counter(static_cast<double>(iterations), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Fit)->ArgsProduct({{1, 10, 100}, {1, 10, 100, 1000}})->Unit(benchmark::kMillisecond);

void BM_LinearFit(benchmark::State& state) {
  std::vector<std::uint32_t> all = rows().class_0;
  all.insert(all.end(), rows().class_1.begin(), rows().class_1.end());
  LinearSvmProblem problem;
  problem.rows = rows().x;
  problem.chosen = all;
  problem.labels = rows().labels;
  problem.C = static_cast<double>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(solve_linear_svm(problem));
}
BENCHMARK(BM_LinearFit)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond);

void BM_OriginalGrid(benchmark::State& state) {
  const auto folds = metrics::stratified_folds(rows().labels, 5).value();
  const auto points = original_svm_grid();
  SvmGridOptions options;
  options.threads = static_cast<unsigned>(state.range(0));
  for (auto _ : state) {
    const auto scores = search_svm_grid({rows().x, rows().labels, folds, points}, options);
    if (!scores) state.SkipWithError("the search failed");
  }
}
BENCHMARK(BM_OriginalGrid)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dropscore::learn
