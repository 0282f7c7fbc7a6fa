// Boosted trees against XGBoost's own in-place predictor, one thread each, in one run and on one ensemble: grown by
// XGBoost on made-up rows and converted. Both margins are compared before anything is timed. Argument: depth.
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <xgboost/c_api.h>

#include "learn/boosted.h"
#include "model/trees.h"

namespace dropscore::learn {
namespace {

constexpr std::size_t rows = 6400;
constexpr std::size_t columns = 16;
constexpr int rounds = 500;

/// 6,400 x 16, 500 rounds, as the learner's own settings grow them.
class Ensemble {
 public:
  explicit Ensemble(std::int64_t depth) : cells_(rows, columns) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal;
    std::vector<float> labels;
    for (std::size_t i = 0; i < rows; ++i) {
      float merit = 1;
      for (std::size_t j = 0; j < columns; ++j) {
        cells_(i, j) = normal(engine);
        if (j < 10) merit += cells_(i, j) > 0.5F ? 0.6F : -0.2F;
      }
      labels.push_back(merit + normal(engine) > 0 ? 1.0F : 0.0F);
    }
    ok_ = XGDMatrixCreateFromMat_omp(cells_.view().data, rows, columns, NAN, &matrix_, 1) == 0 &&
          XGDMatrixSetFloatInfo(matrix_, "label", labels.data(), rows) == 0 &&
          XGBoosterCreate(&matrix_, 1, &booster_) == 0;
    const std::vector<std::pair<const char*, std::string>> settings{
        {"tree_method", "hist"}, {"objective", "binary:logistic"},     {"verbosity", "0"},
        {"nthread", "1"},        {"max_depth", std::to_string(depth)}, {"eta", "0.2"},
        {"lambda", "10"}};
    for (const auto& [name, value] : settings) ok_ = ok_ && XGBoosterSetParam(booster_, name, value.c_str()) == 0;
    for (int round = 0; round < rounds; ++round) ok_ = ok_ && XGBoosterUpdateOneIter(booster_, round, matrix_) == 0;
    bst_ulong size = 0;
    const char* text = nullptr;
    ok_ = ok_ && XGBoosterSaveModelToBuffer(booster_, R"({"format": "json"})", &size, &text) == 0;
    if (!ok_) return;
    auto form = convert_xgboost({text, size}, std::vector<bool>(columns, false), std::vector<bool>(columns, false));
    ok_ = form.has_value();
    if (ok_) ours_ = std::make_unique<model::Trees>(std::move(*form));
  }
  Ensemble(const Ensemble&) = delete;
  Ensemble& operator=(const Ensemble&) = delete;
  ~Ensemble() {
    XGBoosterFree(booster_);
    XGDMatrixFree(matrix_);
  }

  bool ok() const { return ok_; }

  void decide(std::vector<double>& out) const {
    out.resize(rows);
    ours_->decide(cells_.view(), out);
  }

  /// XGBoost's margins; its own memory, until the next call. nullptr when it fails.
  const float* margins() const {
    const std::string values =
        fmt::format(R"({{"data": [{}, true], "shape": [{}, {}], "typestr": "<f4", "version": 3}})",
                    reinterpret_cast<std::uintptr_t>(cells_.view().data), rows, columns);
    const char* config =
        R"({"type": 1, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false,
            "missing": NaN, "cache_id": 0})";
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* out = nullptr;
    const int failed = XGBoosterPredictFromDense(booster_, values.c_str(), config, nullptr, &shape, &dimensions, &out);
    return failed != 0 ? nullptr : out;
  }

  bool agree() const {
    std::vector<double> mine;
    decide(mine);
    const float* theirs = margins();
    for (std::size_t i = 0; theirs != nullptr && i < rows; ++i) {
      // XGBoost adds 500 leaves up in single precision.
      if (std::abs(mine[i] - static_cast<double>(theirs[i])) > 1e-4) return false;
    }
    return theirs != nullptr;
  }

 private:
  features::Matrix<float> cells_;
  DMatrixHandle matrix_ = nullptr;
  BoosterHandle booster_ = nullptr;
  std::unique_ptr<model::Trees> ours_;
  bool ok_ = false;
};

bool ready(benchmark::State& state, const Ensemble& ensemble) {
  if (!ensemble.ok()) state.SkipWithError("growing failed");
  if (ensemble.ok() && !ensemble.agree()) state.SkipWithError("the margins differ");
  return ensemble.ok() && ensemble.agree();
}

void BM_XgboostInPlace(benchmark::State& state) {
  const Ensemble ensemble(state.range(0));
  if (!ready(state, ensemble)) return;
  for (auto _ : state) benchmark::DoNotOptimize(ensemble.margins());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}
BENCHMARK(BM_XgboostInPlace)->Arg(1)->Arg(3)->Arg(6)->Unit(benchmark::kMillisecond);

void BM_Ours(benchmark::State& state) {
  const Ensemble ensemble(state.range(0));
  if (!ready(state, ensemble)) return;
  std::vector<double> out;
  for (auto _ : state) {
    ensemble.decide(out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}
BENCHMARK(BM_Ours)->Arg(1)->Arg(3)->Arg(6)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dropscore::learn
