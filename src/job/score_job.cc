#include "job/score_job.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "result/answer.h"

namespace dropscore::job {
namespace {

constexpr std::string_view etag_key = "input_etag";
constexpr std::string_view model_key = "model_version";
constexpr std::string_view status_key = "processing_status";
constexpr std::size_t write_chunk_bytes = 256 * limits::kib;

store::Metadata result_metadata(std::string_view etag, const Scorer& scorer, std::string_view status) {
  return {{std::string(etag_key), std::string(etag)},
          {std::string(model_key), scorer.model_version()},
          {std::string(status_key), std::string(status)}};
}

std::string document_name(const Containers& stores, std::string_view blob) {
  return fmt::format("{}/{}", stores.input->container(), blob);
}

/// What the result beside this blob was made from; empty where there is none.
Result<store::Metadata> result_state(const Containers& stores, std::string_view blob) {
  Result<store::BlobProperties> found = stores.output->properties(result_name(blob));
  if (found) return std::move(found->metadata);
  if (found.error().kind == ErrorKind::not_found) return store::Metadata{};
  return pass_on(std::move(found));
}

bool holds(const store::Metadata& metadata, std::string_view key, std::string_view value) {
  const auto at = metadata.find(std::string(key));
  return at != metadata.end() && at->second == value;
}

/// Moves everything from the source through the stream into the writer.
Status pump(ByteSource& source, ScoreStream& stream, store::BlobWriter& writer) {
  std::string out;
  for (;;) {
    DROPSCORE_TRY(const ScoreStream::Step step, stream.next(out));
    if (out.size() >= write_chunk_bytes || step == ScoreStream::Step::end) {
      DROPSCORE_CHECK(writer.write(out));
      out.clear();
    }
    if (step == ScoreStream::Step::end) return {};
    if (step == ScoreStream::Step::output) continue;
    const std::span<char> room = stream.room();
    DROPSCORE_TRY(const std::size_t got, source.read(room));
    if (got == 0) {
      stream.finish();
    } else {
      stream.commit(got);
    }
  }
}

bool is_about_the_input(ErrorKind kind) { return kind == ErrorKind::reject || kind == ErrorKind::too_large; }

}  // namespace

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::scored: return "scored";
    case Outcome::error_document: return "error_document";
    case Outcome::already_done: return "already_done";
    case Outcome::gone: return "gone";
  }
  return "scored";
}

std::string result_name(std::string_view blob) { return fmt::format("{}.json", blob); }

Result<ScoreReport> score_blob(const Containers& stores, std::string_view blob, const Scorer& scorer,
                               const ScoreOptions& options) {
  ScoreReport report;
  Result<store::BlobProperties> input = stores.input->properties(blob);
  if (!input) {
    if (input.error().kind != ErrorKind::not_found) return pass_on(std::move(input));
    report.outcome = Outcome::gone;
    return report;
  }
  report.etag = input->info.etag;
  DROPSCORE_TRY(const store::Metadata before, result_state(stores, blob));
  if (holds(before, etag_key, report.etag) && holds(before, model_key, scorer.model_version())) {
    report.outcome = Outcome::already_done;
    return report;
  }

  DROPSCORE_TRY(const std::unique_ptr<ByteSource> source, stores.input->open(blob, report.etag));
  const std::string result = result_name(blob);
  std::unique_ptr<store::BlobWriter> writer;
  DROPSCORE_TRY(writer, stores.output->create(result, store::WriteCondition::always()));
  ScoreStream stream = scorer.stream(options);
  DROPSCORE_CHECK(writer->write(result::success_document_begin(document_name(stores, blob))));
  const Status scored = pump(*source, stream, *writer);
  report.counts = stream.counts();
  report.notes = stream.notes();
  if (scored) {
    DROPSCORE_CHECK(writer->write(result::success_document_end(report.etag)));
    DROPSCORE_CHECK(writer->commit(result_metadata(report.etag, scorer, "success")));
    return report;
  }
  if (!is_about_the_input(scored.error().kind)) return tl::unexpected<Error>(scored.error());

  writer.reset();  // what was written so far is thrown away
  const std::string document =
      stream.error_document(document_name(stores, blob), scored.error().customer.text, report.etag);
  DROPSCORE_CHECK(store::write_all(*stores.output, result, document, store::WriteCondition::always(),
                                   result_metadata(report.etag, scorer, "error")));
  report.outcome = Outcome::error_document;
  report.notes.push_back(scored.error().customer.text);
  return report;
}

Status set_aside(const Containers& stores, std::string_view blob, const std::optional<std::string>& etag,
                 std::string_view why, const Scorer& scorer) {
  const table::RowErrors none;
  const std::string document = result::error_document(document_name(stores, blob), why, none, etag.value_or(""));
  DROPSCORE_CHECK(store::write_all(*stores.output, result_name(blob), document, store::WriteCondition::always(),
                                   result_metadata(etag.value_or(""), scorer, "error")));
  return {};
}

Result<bool> is_pending(const Containers& stores, const store::BlobInfo& blob,
                        const std::optional<std::string>& model_version) {
  DROPSCORE_TRY(const store::Metadata before, result_state(stores, blob.name));
  if (!holds(before, etag_key, blob.etag)) return true;
  return model_version && !holds(before, model_key, *model_version);
}

}  // namespace dropscore::job
