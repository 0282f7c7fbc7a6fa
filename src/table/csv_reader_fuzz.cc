// libFuzzer's way into the reader: any bytes are read without fault, and alike whatever the cuts. With clang:
//
//   cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo
//         -DDROPSCORE_FUZZ=ON -DDROPSCORE_SANITIZE=address,undefined,fuzzer-no-link
//   cmake --build build/fuzz --target table_fuzz && build/fuzz/table_fuzz -max_len=4096 -max_total_time=60
#include <cstdlib>

#include "table/cells.h"
#include "table/csv_test_util.h"

using dropscore::table::CsvOptions;
using dropscore::table::testing::By;
using dropscore::table::testing::read_text;
using dropscore::table::testing::ReadFile;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  CsvOptions options;
  options.max_row_bytes = 1 + data[0];
  options.chunk_bytes = 4096;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ReadFile whole = read_text(text, options);
  options.chunk_bytes = 1 + size % 13;
  options.max_batch_rows = 3;
  const ReadFile cut = read_text(text, options);
  if (whole.error != cut.error || whole.header != cut.header || whole.rows != cut.rows || whole.notes != cut.notes) {
    std::abort();
  }
  for (const By by : {By::segments, By::kept_segments}) {
    const ReadFile pieces = read_text(
        text, options, [](std::size_t most) { return most; }, by);
    if (whole.error != pieces.error || whole.rows != pieces.rows || whole.notes != pieces.notes) std::abort();
  }
  for (const auto& row : whole.rows) {
    for (const std::string& cell : row.cells) {
      dropscore::table::parse_number(cell, true);
      dropscore::table::parse_number(cell, false);
    }
  }
  return 0;
}
