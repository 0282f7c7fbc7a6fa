// How fast scores become text. Each answer is first read back and compared with the scores.
#include "result/answer.h"

#include <cstdlib>
#include <random>

#include <benchmark/benchmark.h>

namespace dropscore::result {
namespace {

constexpr std::size_t row_count = 4096;
constexpr std::string_view raw =
    "8000,56,Female,136912,Social Media,Awareness,6497.870068417766,0.04391851073538301,0.08803141207288108,0,"
    "2.399016527783845,7.3968025807960585,19,6,9,4,688,IsConfid,ToolConfid";

std::vector<model::Score> scores() {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> unit(0.01, 1);
  std::vector<model::Score> scores(row_count);
  for (model::Score& score : scores) {
    score.probability = unit(random);
    score.converts = score.probability >= 0.5;
  }
  return scores;
}

/// The number after each `label`, in order, is the score's.
bool holds(std::string_view text, std::string_view label, const std::vector<model::Score>& scores) {
  std::size_t at = 0;
  for (const model::Score& score : scores) {
    at = text.find(label, at);
    if (at == std::string_view::npos) return false;
    at += label.size();
    if (std::strtod(text.data() + at, nullptr) != score.probability) return false;
  }
  return text.find(label, at) == std::string_view::npos;
}

template <class WriteAll>
void run(benchmark::State& state, std::string_view label, WriteAll write_all) {
  const std::vector<model::Score> all = scores();
  std::string out;
  write_all(all, out);
  if (!holds(out, label, all)) {
    state.SkipWithError("not the scores that were written");
    return;
  }
  for (auto _ : state) {
    out.clear();
    write_all(all, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(row_count));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

void JsonRows(benchmark::State& state) {
  run(state, "\"probability_conversion\":", [](const std::vector<model::Score>& all, std::string& out) {
    TextRoom room(out);
    for (std::size_t i = 0; i < all.size(); ++i) JsonAnswer::add(room, i, all[i]);
  });
}

void CsvRows(benchmark::State& state) {
  const CsvAnswer csv(table::Dialect(), 19);
  run(state, "Convert,", [&csv](const std::vector<model::Score>& all, std::string& out) {
    TextRoom room(out);
    for (const model::Score& score : all) csv.add(room, raw, score);
  });
}

BENCHMARK(JsonRows);
BENCHMARK(CsvRows);

}  // namespace
}  // namespace dropscore::result
