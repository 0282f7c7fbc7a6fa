#include "job/score_job.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "net/retry.h"
#include "result/answer.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"

namespace dropscore::job {
namespace {

constexpr std::string_view etag_key = "input_etag";
constexpr std::string_view model_key = "model_version";
constexpr std::string_view status_key = "processing_status";
constexpr std::string_view trace_key = "traceparent";
constexpr std::string_view result_suffix = ".json";

/// What a result was made from; and by which span, which is for whoever looks into it and never compared.
store::Metadata result_metadata(std::string_view etag, std::string_view model_version, std::string_view status) {
  store::Metadata metadata{{std::string(etag_key), std::string(etag)},
                           {std::string(model_key), std::string(model_version)},
                           {std::string(status_key), std::string(status)}};
  const telemetry::TraceContext& trace = telemetry::current_trace();
  if (trace.has_span()) metadata.emplace(trace_key, telemetry::traceparent(trace));
  return metadata;
}

std::string document_name(const Containers& stores, std::string_view blob) {
  return fmt::format("{}/{}", stores.input->container(), blob);
}

std::string_view value_of(const store::Metadata& metadata, std::string_view key) {
  const auto at = metadata.find(std::string(key));
  return at == metadata.end() ? std::string_view() : std::string_view(at->second);
}

/// The result beside a blob as it was found, and what it was made from.
struct ResultState {
  bool present = false;
  std::string etag;
  store::Metadata made_from;

  bool is_of(std::string_view input_etag) const { return present && value_of(made_from, etag_key) == input_etag; }
  bool is_of(std::string_view input_etag, std::string_view model_version) const {
    return is_of(input_etag) && value_of(made_from, model_key) == model_version;
  }
  /// Holds as long as nobody published since.
  store::WriteCondition unchanged() const {
    return present ? store::WriteCondition::if_match(etag) : store::WriteCondition::if_absent();
  }
};

Result<ResultState> result_state(const Containers& stores, std::string_view blob) {
  Result<store::BlobProperties> found = stores.output->properties(result_name(blob));
  if (found) return ResultState{true, std::move(found->info.etag), std::move(found->metadata)};
  if (found.error().kind == ErrorKind::not_found) return ResultState{};
  return pass_on(std::move(found));
}

/// One blob's way from its ETag to a published document.
class Scoring {
 public:
  Scoring(const Containers& stores, std::string_view blob, const FileScorer& scorer, const ScoreOptions& options)
      : stores_(stores), blob_(blob), scorer_(scorer), options_(options) {}

  Result<ScoreReport> run(const std::optional<std::string>& named_etag) {
    Result<store::BlobProperties> input = stores_.input->properties(blob_);
    if (!input && input.error().kind != ErrorKind::not_found) return pass_on(std::move(input));
    DROPSCORE_TRY(before_, result_state(stores_, blob_));
    DROPSCORE_TRY(report_.model_version, scorer_.model_version());
    if (!input) return gone(named_etag);
    report_.etag = input->info.etag;
    if (before_.is_of(report_.etag, report_.model_version)) return finished(Outcome::already_done);

    net::Retry retry({.max_tries = scorer_.tries()}, Deadline::never(), scorer_.hurried());
    for (;;) {
      Result<ScoreReport> done = attempt();
      if (done || done.error().kind != ErrorKind::try_later) return done;
      const bool again = retry.wait({});
      if (scorer_.tries() > 1) {  // an API's: what the stores cannot do has been tried often enough
        telemetry::add(again ? telemetry::Metric::retries : telemetry::Metric::retries_exhausted, 1, {"api", "score"});
      }
      if (!again) return done;
    }
  }

 private:
  Result<ScoreReport> attempt() {
    std::unique_ptr<store::BlobWriter> writer;
    DROPSCORE_TRY(const std::optional<FileRefusal> refusal, score(writer));
    if (refusal) {
      writer.reset();  // what was written so far is thrown away
      return refused(*refusal);
    }
    return publish(Outcome::scored, "success",
                   [&writer](const store::Metadata& metadata) { return writer->commit(metadata); });
  }

  /// Leaves the document in `writer`, or says why there is none.
  Result<std::optional<FileRefusal>> score(std::unique_ptr<store::BlobWriter>& writer) {
    telemetry::Span span("score");
    Result<std::optional<FileRefusal>> done = write_document(writer);
    if (!done) {
      span.fail(name(done.error().kind));
    } else if (*done) {
      span.fail(name((*done)->error.kind));
    } else {
      span.set("dropscore.rows", report_.counts.scored);
      span.set("dropscore.rejected", report_.counts.rejected);
    }
    return done;
  }

  Result<std::optional<FileRefusal>> write_document(std::unique_ptr<store::BlobWriter>& writer) {
    DROPSCORE_TRY(const std::unique_ptr<ByteSource> source, stores_.input->open(blob_, report_.etag));
    DROPSCORE_TRY(writer, stores_.output->create(result_name(blob_), before_.unchanged()));
    DROPSCORE_CHECK(writer->write(result::success_document_begin(document_name(stores_, blob_))));
    const auto write = [&writer](std::string_view text) { return writer->write(text); };
    tl::expected<ScoredFile, FileRefusal> scored = scorer_.score(*source, write, options_);
    if (!scored) return std::move(scored).error();
    report_.counts = scored->counts;
    report_.notes = std::move(scored->notes);
    report_.model_version = std::move(scored->model_version);
    DROPSCORE_CHECK(writer->write(result::success_document_end(report_.etag)));
    return std::nullopt;
  }

  Result<ScoreReport> refused(const FileRefusal& refusal) {
    const Error& error = refusal.error;
    report_.counts = refusal.counts;
    if (error.kind != ErrorKind::reject && error.kind != ErrorKind::too_large) return tl::unexpected<Error>(error);
    return publish_error(error.customer.text, refusal.error_members);
  }

  Result<ScoreReport> gone(const std::optional<std::string>& named_etag) {
    if (!named_etag || before_.present) return finished(Outcome::gone);
    report_.etag = *named_etag;
    return publish_error("the file was deleted before it could be scored; upload it again to have it scored", {});
  }

  Result<ScoreReport> publish_error(const std::string& message, const result::ErrorMembers& members) {
    report_.notes.push_back(message);
    const std::string document = result::error_document(document_name(stores_, blob_), message, members, report_.etag);
    return publish(Outcome::error_document, "error", [&](const store::Metadata& metadata) {
      return store::write_all(*stores_.output, result_name(blob_), document, before_.unchanged(), metadata);
    });
  }

  template <class Write>
  Result<ScoreReport> publish(Outcome outcome, std::string_view status, Write write) {
    // The metadata name the span that has this one in it: that of the file.
    const store::Metadata metadata = result_metadata(report_.etag, report_.model_version, status);
    telemetry::Span span("publish");
    Result<store::BlobInfo> written = write(metadata);
    if (!written) span.fail(name(written.error().kind));
    return published(outcome, std::move(written));
  }

  /// Where another worker was quicker with the same, that is as good.
  Result<ScoreReport> published(Outcome outcome, Result<store::BlobInfo> written) {
    if (written) return finished(outcome);
    if (written.error().kind != ErrorKind::changed) return pass_on(std::move(written));
    DROPSCORE_TRY(const ResultState now, result_state(stores_, blob_));
    if (now.is_of(report_.etag, report_.model_version)) return finished(Outcome::already_done);
    return pass_on(std::move(written));
  }

  Result<ScoreReport> finished(Outcome outcome) {
    report_.outcome = outcome;
    return std::move(report_);
  }

  const Containers& stores_;
  std::string_view blob_;
  const FileScorer& scorer_;
  const ScoreOptions& options_;
  ResultState before_;
  ScoreReport report_;
};

/// Which results are there, by hashes of what they are of: a pair of 64 bits each.
class ResultIndex {
 public:
  void add(const store::BlobProperties& result, bool with_model) {
    const std::string& name = result.info.name;
    if (!name.ends_with(result_suffix)) return;
    const std::string_view blob = std::string_view(name).substr(0, name.size() - result_suffix.size());
    const std::string_view model = with_model ? value_of(result.metadata, model_key) : std::string_view();
    entries_.push_back(entry(blob, value_of(result.metadata, etag_key), model));
  }
  void seal() { std::sort(entries_.begin(), entries_.end()); }
  bool has(std::string_view blob, std::string_view etag, std::string_view model) const {
    return std::binary_search(entries_.begin(), entries_.end(), entry(blob, etag, model));
  }

 private:
  using Entry = std::pair<std::size_t, std::size_t>;
  static Entry entry(std::string_view blob, std::string_view etag, std::string_view model) {
    return {std::hash<std::string_view>()(blob), std::hash<std::string_view>()(fmt::format("{}\n{}", etag, model))};
  }
  std::vector<Entry> entries_;
};

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

std::string result_name(std::string_view blob) { return fmt::format("{}{}", blob, result_suffix); }

Result<ScoreReport> score_blob(const Containers& stores, std::string_view blob, const FileScorer& scorer,
                               const ScoreOptions& options, const std::optional<std::string>& named_etag) {
  return Scoring(stores, blob, scorer, options).run(named_etag);
}

Status set_aside(const Containers& stores, std::string_view blob, const std::optional<std::string>& named_etag,
                 std::string_view why, const FileScorer& scorer) {
  DROPSCORE_TRY(const ResultState before, result_state(stores, blob));
  const std::string etag = named_etag.value_or("");  // never the present one: that may be a version nobody has tried
  if (!etag.empty() && before.is_of(etag)) return {};
  // Which model could not do it is of interest only where it can be told.
  const std::string version = scorer.model_version().value_or("");
  DROPSCORE_CHECK(store::write_all(*stores.output, result_name(blob),
                                   result::error_document(document_name(stores, blob), why, {}, etag),
                                   before.unchanged(), result_metadata(etag, version, "error")));
  return {};
}

Result<bool> is_pending(const Containers& stores, const store::BlobInfo& blob,
                        const std::optional<std::string>& model_version) {
  DROPSCORE_TRY(const ResultState before, result_state(stores, blob.name));
  return !(model_version ? before.is_of(blob.etag, *model_version) : before.is_of(blob.etag));
}

Status find_pending(const Containers& stores, const std::optional<std::string>& model_version,
                    const std::function<bool(const store::BlobInfo&)>& visit) {
  // Results first: an input whose result comes in between is taken for pending, and then found done; the other way
  // round a new version could be taken for done.
  ResultIndex results;
  DROPSCORE_CHECK(stores.output->list_with_metadata([&](const store::BlobProperties& result) {
    results.add(result, model_version.has_value());
    return true;
  }));
  results.seal();
  return stores.input->list([&](const store::BlobInfo& blob) {
    return results.has(blob.name, blob.etag, model_version.value_or("")) || visit(blob);
  });
}

}  // namespace dropscore::job
