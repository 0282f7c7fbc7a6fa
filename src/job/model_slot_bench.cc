// What asking for the model costs each request, by the number of threads that ask; beside the two ways not taken.
// docs/decisions/0019-changing-models.md
#include "job/model_slot.h"

#include <atomic>

#include <benchmark/benchmark.h>

#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

const std::shared_ptr<const model::Model>& some_model() {
  static const std::shared_ptr<const model::Model> model = dropscore::testing::tiny_model();
  return model;
}

/// One model for ever: what a server without changes would do.
void copy_of_one_pointer(benchmark::State& state) {
  const std::shared_ptr<const model::Model>& model = some_model();
  for (auto _ : state) benchmark::DoNotOptimize(Scorer(model));
}

void atomic_shared_pointer(benchmark::State& state) {
  static std::atomic<std::shared_ptr<const model::Model>> model = some_model();
  for (auto _ : state) benchmark::DoNotOptimize(Scorer(model.load()));
}

void model_slot(benchmark::State& state) {
  static const ModelSlot slot(some_model());
  for (auto _ : state) benchmark::DoNotOptimize(slot.scorer());
}

BENCHMARK(copy_of_one_pointer)->ThreadRange(1, 4)->UseRealTime();
BENCHMARK(atomic_shared_pointer)->ThreadRange(1, 4)->UseRealTime();
BENCHMARK(model_slot)->ThreadRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace dropscore::job
