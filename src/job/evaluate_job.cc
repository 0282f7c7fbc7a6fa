#include "job/evaluate_job.h"

#include <numeric>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "features/encoder.h"
#include "job/judge.h"
#include "result/answer.h"
#include "schema/fit.h"
#include "table/frame.h"

namespace dropscore::job {

Result<EvaluateReport> evaluate(ByteSource& labelled, const model::Model& model, std::uint32_t bootstrap_seed) {
  table::RowErrors errors;
  DROPSCORE_TRY(const table::Frame frame, table::Frame::read(labelled, errors));
  DROPSCORE_TRY(const std::vector<std::uint8_t> all_labels, schema::read_labels(frame, model.schema().target));
  std::vector<std::size_t> rows(frame.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::vector<std::size_t> kept;
  DROPSCORE_TRY(const features::Matrix<double> matrix,
                features::encode_frame(model.schema(), frame, rows, kept, errors));
  if (kept.empty()) return fail(ErrorKind::reject, "no row of the file can be judged");
  std::vector<std::uint8_t> labels;
  labels.reserve(kept.size());
  for (const std::size_t row : kept) labels.push_back(all_labels[row]);

  const result::Evaluation evaluation = judge(model, matrix, labels, bootstrap_seed);
  const double rate =
      static_cast<double>(std::accumulate(labels.begin(), labels.end(), 0ULL)) / static_cast<double>(labels.size());
  EvaluateReport report;
  report.text = fmt::format("model {} ({}) on {} rows, {} rejected; {:.2f} % convert\n\n", model.version(),
                            model.predictor().display_name(), labels.size(), errors.total(), 100 * rate);
  report.text += result::table_head() + result::table_line("this model", evaluation) +
                 result::table_line("the same for everyone", judge_constant(rate, labels));
  report.text += "\n  rows  probability said  rate seen\n";
  for (const metrics::ReliabilityBin& bin : evaluation.reliability) {
    report.text += fmt::format("{:>6}  {:>16.3f}  {:>9.3f}\n", bin.rows, bin.mean_probability, bin.observed_rate);
  }
  JsonWriter json(report.json, 2);
  json.begin_object();
  json.member("format", "dropscore-evaluation").member("format_version", 1);
  json.member("model_version", model.version()).key("evaluation");
  result::write(json, evaluation);
  if (errors.total() > 0) result::write_error_members(json, errors);
  json.end_object();
  report.json.push_back('\n');
  return report;
}

}  // namespace dropscore::job
