// How fast bytes become cells. Each benchmark first checks that it reads what it should.
#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>

#include "table/cells.h"
#include "table/csv_reader.h"

namespace dropscore::table {
namespace {

constexpr std::size_t file_bytes = std::size_t{64} << 20U;

struct Sum {
  std::uint64_t rows = 0;
  std::uint64_t cells = 0;
  std::uint64_t faults = 0;
  double total = 0;
};

template <bool parse>
Sum read_all(std::string_view text) {
  Sum sum;
  CsvReader reader;
  Batch batch;
  for (;;) {
    const auto step = reader.next(batch);
    if (!step || *step == CsvReader::Step::end) return sum;
    if (*step == CsvReader::Step::need_bytes) {
      const std::span<char> room = reader.room();
      const std::size_t count = std::min(room.size(), text.size());
      if (count == 0) {
        reader.finish();
        continue;
      }
      std::copy_n(text.data(), count, room.data());
      text.remove_prefix(count);
      reader.commit(count);
      continue;
    }
    sum.rows += batch.rows.size();
    sum.cells += batch.cells.size();
    for (const Row& row : batch.rows) {
      if (row.fault != RowFault::none) ++sum.faults;
      if constexpr (parse) {
        for (std::uint32_t i = 0; i < row.cell_count; ++i) {
          sum.total += parse_number(batch.cell(row, i), false).value;
        }
      }
    }
  }
}

std::string repeat(std::string_view header, std::string_view rows) {
  std::string text(header);
  while (text.size() < file_bytes) text += rows;
  return text;
}

/// 18 columns as customers' files have them.
std::string numeric() {
  std::string header;
  for (int i = 0; i < 18; ++i) header.append(i == 0 ? "c" : ",c").append(std::to_string(i));
  std::string rows;
  std::uint32_t state = 1;
  for (int r = 0; r < 1000; ++r) {
    for (int i = 0; i < 18; ++i) {
      state = state * 1664525U + 1013904223U;
      if (i > 0) rows += ',';
      rows += std::to_string(state >> (8U + state % 20U));
      if (i % 5 == 4) rows.append(".").append(std::to_string((state >> 4U) % 10000U));
    }
    rows += '\n';
  }
  return repeat(header + "\n", rows);
}

template <bool parse>
void run(benchmark::State& state, const std::string& text) {
  const Sum expected = read_all<parse>(text);
  const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')) - 1;
  if (expected.faults != 0 || expected.rows > lines || expected.rows < lines / 2) {
    state.SkipWithError("not what was written");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(read_all<parse>(text).cells);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void Tokenise(benchmark::State& state) { run<false>(state, numeric()); }
void TokeniseAndParse(benchmark::State& state) { run<true>(state, numeric()); }
void TokeniseQuoted(benchmark::State& state) {
  run<false>(state, repeat("a,b,c\n", "\"some text\",\"with, a comma\",12\n\"say \"\"hi\"\"\",\"two\nlines\",3.5\n"));
}
void TokeniseWindows1252(benchmark::State& state) {
  run<false>(state, repeat("a;b;c\n", "Malm\xF6;12,5;2024-01-01\nOslo;1;2023-12-31\n"));
}
void BlankLines(benchmark::State& state) {
  std::string text = repeat("a,b\n", "\n");
  for (auto _ : state) benchmark::DoNotOptimize(read_all<false>(text).cells);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(Tokenise)->Unit(benchmark::kMillisecond);
BENCHMARK(TokeniseAndParse)->Unit(benchmark::kMillisecond);
BENCHMARK(TokeniseQuoted)->Unit(benchmark::kMillisecond);
BENCHMARK(TokeniseWindows1252)->Unit(benchmark::kMillisecond);
BENCHMARK(BlankLines)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dropscore::table
