// CSV -> float matrix, on one thread: how fast a customers' file becomes what a model takes. Checked against RowEncoder
// on every cell before it is timed.
#include "features/segment_encoder.h"

#include <cstring>
#include <random>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace dropscore::features {
namespace {

constexpr std::size_t file_bytes = std::size_t{32} << 20U;
constexpr std::size_t batch_rows = 512;

/// A row as the original's data has them: an identifier, 13 numbers, 5 of them with up to 17 digits, 3 categories, and
/// texts that no model takes.
std::string customers() {
  std::mt19937_64 random(1);
  const auto unit = [&random] { return static_cast<double>(random() >> 11U) * 0x1p-53; };
  static constexpr std::array<const char*, 5> channels = {"Social Media", "Email", "PPC", "Referral", "SEO"};
  static constexpr std::array<const char*, 4> types = {"Awareness", "Retention", "Conversion", "Consideration"};
  std::string text =
      "CustomerID,Age,Gender,Income,CampaignChannel,CampaignType,AdSpend,ClickThroughRate,ConversionRate,WebsiteVisits,"
      "PagesPerVisit,TimeOnSite,SocialShares,EmailOpens,EmailClicks,PreviousPurchases,LoyaltyPoints,Platform,Tool\n";
  for (std::size_t id = 8000; text.size() < file_bytes; ++id) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},IsConfid,ToolConfid\n", id,
                        18 + random() % 52, random() % 2 == 0 ? "Female" : "Male", 20000 + random() % 130000,
                        channels[random() % 5], types[random() % 4], 100 + unit() * 9900, 0.01 + unit() * 0.29,
                        0.01 + unit() * 0.19, random() % 50, 1 + unit() * 9, 0.5 + unit() * 14.5, random() % 100,
                        random() % 20, random() % 10, random() % 10, random() % 5000);
  }
  return text;
}

schema::Schema customers_schema() {
  schema::Schema schema;
  for (const char* name :
       {"Age", "Income", "AdSpend", "ClickThroughRate", "ConversionRate", "WebsiteVisits", "PagesPerVisit",
        "TimeOnSite", "SocialShares", "EmailOpens", "EmailClicks", "PreviousPurchases", "LoyaltyPoints"}) {
    schema.features.emplace_back().name = name;
  }
  const auto categorical = [&schema](const char* name, std::vector<std::string> categories) {
    schema::Feature& feature = schema.features.emplace_back();
    feature.name = name;
    feature.kind = schema::Kind::categorical;
    feature.categories = std::move(categories);
  };
  categorical("Gender", {"Female", "Male"});
  categorical("CampaignChannel", {"Email", "PPC", "Referral", "SEO", "Social Media"});
  categorical("CampaignType", {"Awareness", "Consideration", "Conversion", "Retention"});
  return schema;
}

/// Reads the whole text and calls `take(matrix)` for each batch.
template <bool by_segments, class T, class Take>
void read_all(const schema::Schema& schema, std::string_view text, Take take) {
  const table::CsvOptions options;
  table::CsvReader reader(options);
  std::optional<SegmentEncoder> encoder;
  Matrix<T> matrix;
  EncodedRows rows;
  table::Segment segment;
  table::RowErrors errors;
  for (;;) {
    const auto step = by_segments ? reader.next(rows.read, segment) : reader.next(rows.read);
    if (!step || *step == table::CsvReader::Step::end) return;
    if (*step == table::CsvReader::Step::need_bytes) {
      const std::span<char> room = reader.room();
      const std::size_t count = text.copy(room.data(), room.size());
      if (count == 0) reader.finish();
      if (count > 0) reader.commit(count);
      text.remove_prefix(count);
      continue;
    }
    if (!encoder) encoder.emplace(*SegmentEncoder::bind(schema, reader.header(), reader.dialect(), options));
    if (*step == table::CsvReader::Step::batch) {
      encoder->encode_read(matrix, rows, errors);
      take(matrix);
      continue;
    }
    encoder->open(segment);
    while (encoder->next(batch_rows, matrix, rows, errors)) take(matrix);
  }
}

template <bool by_segments, class T>
std::vector<T> all_values(const schema::Schema& schema, std::string_view text) {
  std::vector<T> values;
  read_all<by_segments, T>(schema, text, [&values](Matrix<T>& matrix) {
    values.insert(values.end(), matrix.data(), matrix.data() + matrix.rows() * matrix.columns());
  });
  return values;
}

template <bool by_segments, class T>
void run(benchmark::State& state) {
  const std::string text = customers();
  const schema::Schema schema = customers_schema();
  const std::vector<T> expected = all_values<false, T>(schema, text);
  const std::vector<T> found = all_values<by_segments, T>(schema, text);
  const auto rows = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1;
  if (found.size() != rows * schema.size() || found.size() != expected.size() ||
      std::memcmp(found.data(), expected.data(), found.size() * sizeof(T)) != 0) {
    state.SkipWithError("not the values that RowEncoder reads");
    return;
  }
  for (auto _ : state) {
    std::size_t count = 0;
    read_all<by_segments, T>(schema, text, [&count](Matrix<T>& matrix) { count += matrix.rows(); });
    benchmark::DoNotOptimize(count);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}

BENCHMARK_TEMPLATE(run, true, float)->Name("CsvToFloatMatrix")->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(run, true, double)->Name("CsvToDoubleMatrix")->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(run, false, float)->Name("CsvToFloatMatrixRowByRow")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dropscore::features
