#include "job/score_stream.h"

#include <utility>

#include "job/score_parts.h"

namespace dropscore::job {
Status ScoreOptions::validate() const {
  if (max_row_bytes < 16) return fail(ErrorKind::misuse, "the limit on a row's length is under 16 bytes");
  if (max_row_bytes > 64 * limits::mib) return fail(ErrorKind::misuse, "the limit on a row's length is over 64 MiB");
  if (threads > limits::max_threads) {
    return fail(ErrorKind::misuse, "at most " + std::to_string(limits::max_threads) + " threads can be asked for");
  }
  return {};
}

struct ScoreStream::State {
  State(std::shared_ptr<const model::Model> model, const ScoreOptions& options)
      : input(std::move(model), options), totals(options) {}

  ScoreInput input;
  ScoreTotals totals;
  std::optional<PieceScorer> scorer;
  bool ended = false;

  // Reused from piece to piece.
  features::EncodedRows rows;
  table::Segment segment;
  ScoredPiece piece;
};

ScoreStream::ScoreStream(std::shared_ptr<const model::Model> model, const ScoreOptions& options)
    : state_(std::make_unique<State>(std::move(model), options)) {}
ScoreStream::ScoreStream(ScoreStream&&) noexcept = default;
ScoreStream& ScoreStream::operator=(ScoreStream&&) noexcept = default;
ScoreStream::~ScoreStream() = default;

std::span<char> ScoreStream::room() { return state_->input.reader().room(); }
void ScoreStream::commit(std::size_t count) { state_->input.reader().commit(count); }
void ScoreStream::finish() { state_->input.reader().finish(); }

Result<ScoreStream::Step> ScoreStream::next(std::string& out) {
  State& state = *state_;
  if (state.ended) return Step::end;
  DROPSCORE_TRY(const ScoreInput::Step step, state.input.next(state.rows.read, state.segment));
  if (step == ScoreInput::Step::need_bytes) return Step::need_bytes;
  if (step == ScoreInput::Step::end) {
    state.ended = true;
    DROPSCORE_CHECK(state.totals.end(state.input.context().get(), out));
    return Step::end;
  }
  if (!state.scorer) state.scorer.emplace(state.input.context());
  if (step == ScoreInput::Step::segment) {
    state.scorer->score(state.segment, state.piece);
  } else {
    state.scorer->score_read(state.rows, state.piece);
  }
  state.totals.add(*state.input.context(), state.piece, out);
  return Step::output;
}

bool ScoreStream::scored_any() const { return state_->totals.scored_any(); }

ScoreCounts ScoreStream::counts() const { return state_->totals.counts(state_->input.reader().bytes_read()); }

std::string ScoreStream::rejections_json() const { return state_->totals.rejections_json(); }

result::ErrorMembers ScoreStream::error_members() const { return result::error_members(state_->totals.errors()); }

std::vector<std::string> ScoreStream::notes() const { return state_->input.reader().notes(); }

}  // namespace dropscore::job
