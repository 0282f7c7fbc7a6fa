// How fast probabilities become text. Checked against the library first.
#include "base/shortest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace dropscore {
namespace {

using Text = std::array<char, most_number_bytes>;

char* write_as_the_library(char* out, double number) { return std::to_chars(out, out + most_number_bytes, number).ptr; }

template <char* (*write)(char*, double)>
std::string text_of(double number) {
  Text text{};
  return {text.data(), write(text.data(), number)};
}

template <char* (*write)(char*, double)>
void run(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> unit(0.001, 1);
  std::vector<double> numbers(4096);
  std::generate(numbers.begin(), numbers.end(), [&] { return unit(random); });
  for (const double number : numbers) {
    if (text_of<write>(number) != text_of<write_as_the_library>(number)) {
      state.SkipWithError("not the shortest decimal");
      return;
    }
  }
  Text text{};
  for (auto _ : state) {
    for (const double number : numbers) benchmark::DoNotOptimize(write(text.data(), number));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(numbers.size()));
}

BENCHMARK_TEMPLATE(run, write_shortest)->Name("WriteShortest");
BENCHMARK_TEMPLATE(run, write_as_the_library)->Name("StdToChars");

}  // namespace
}  // namespace dropscore
