#include "job/score_pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/processors.h"
#include "job/score_parts.h"
#include "table/text_buffer.h"
#include "telemetry/heartbeat.h"
#include "telemetry/trace.h"

namespace dropscore::job {
namespace {

constexpr std::size_t held_back_bytes = 1 * limits::mib;
constexpr std::size_t write_bytes = 256 * limits::kib;
// Less is scored sooner than a thread starts.
constexpr std::uint64_t single_thread_bytes = 512 * limits::kib;
// Finished pieces that wait for an earlier one, beyond one for each thread.
constexpr std::size_t spare_pieces = 2;

unsigned thread_count(const ScoreOptions& options) {
  return std::min(threads_or_processors(options.threads), limits::max_threads);
}

/// A place of the ring. Belongs to the thread that reads into it, then to the one that scores it, then to the one that
/// writes; `ready` passes it on to the last.
struct Place {
  table::TextBlock block;
  table::Segment segment;  ///< its text lies in `block`
  ScoredPiece piece;
  bool scored = false;           ///< already where it was read
  std::uint64_t bytes_read = 0;  ///< of the file, when it was read
  bool ready = false;            ///< guarded by output_mutex_
};

/// Collects text into writes of a good size, and holds it back as long as the answer may become a refusal.
class Sink {
 public:
  explicit Sink(const WriteText& write) : write_(write) {}

  std::string& text() { return text_; }
  Status flush(bool scored_any, bool last) {
    const bool may_write = scored_any || text_.size() > held_back_bytes;
    if (!last && (!may_write || text_.size() < write_bytes)) return {};
    DROPSCORE_CHECK(write_(text_));
    text_.clear();
    return {};
  }

 private:
  const WriteText& write_;
  std::string text_;
};

}  // namespace

class ScorePipeline::Run {
 public:
  Run(std::shared_ptr<const model::Model> model, const ScoreOptions& options)
      : threads_(thread_count(options)),
        ring_(threads_ + spare_pieces),
        input_(std::move(model), options),
        totals_(options) {}

  Status run(ByteSource& source, const WriteText& write, const Progress& progress) {
    Sink sink(write);
    source_ = &source;
    sink_ = &sink;
    progress_ = &progress;
    work();
    helpers_.clear();  // joins them
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    if (failure_) return tl::unexpected<Error>(*failure_);
    DROPSCORE_CHECK(totals_.end(input_.context().get(), sink.text()));
    return sink.flush(true, true);
  }

  const ScoreTotals& totals() const { return totals_; }
  const table::CsvReader& reader() const { return input_.reader(); }

 private:
  /// What every thread does, until there is nothing left.
  void work() {
    try {
      std::optional<PieceScorer> scorer;
      while (Place* const place = take()) {
        if (!place->scored) {
          if (!scorer) scorer.emplace(input_.context());
          scorer->score(place->segment, place->piece);
        }
        give(*place);
        telemetry::beat();
      }
    } catch (...) {
      fail_with([this] { thrown_ = std::current_exception(); });
    }
  }

  /// The next piece; null at the end, or where the work has failed.
  Place* take() {
    const std::lock_guard lock(input_mutex_);
    if (input_ended_) return nullptr;
    Place* const place = free_place();
    if (place == nullptr) return nullptr;
    const Result<bool> got = read_into(*place);
    if (!got) fail_with([this, &got] { failure_ = got.error(); });
    if (!got || !*got) {
      input_ended_ = true;
      return nullptr;
    }
    place->bytes_read = input_.reader().bytes_read();
    ++taken_;
    if (helpers_.empty() && place->bytes_read > single_thread_bytes) start_helpers();
    return place;
  }

  void start_helpers() {
    // What they write to the log, or ask of a store, is for the same file.
    for (unsigned i = 1; i < threads_; ++i) {
      helpers_.emplace_back([this, pulse = telemetry::pulse_of_thread(), trace = telemetry::current_trace()] {
        const telemetry::BeatsFor helped(pulse);
        const telemetry::InSpan in(trace);
        work();
      });
    }
  }

  Place* free_place() {
    std::unique_lock lock(output_mutex_);
    output_changed_.wait(lock, [this] { return stopped_ || taken_ < written_ + ring_.size(); });
    return stopped_ ? nullptr : &ring_[taken_ % ring_.size()];
  }

  /// False: the file has ended.
  Result<bool> read_into(Place& place) {
    for (;;) {
      DROPSCORE_TRY(const ScoreInput::Step step, input_.next(read_rows_.read, place.segment));
      switch (step) {
        case ScoreInput::Step::end: return false;
        case ScoreInput::Step::need_bytes: DROPSCORE_CHECK(fill()); break;
        case ScoreInput::Step::segment:
          input_.reader().keep(place.segment, place.block);
          place.scored = false;
          return true;
        case ScoreInput::Step::batch:  // its texts are the reader's
          if (!read_scorer_) read_scorer_.emplace(input_.context());
          read_scorer_->score_read(read_rows_, place.piece);
          place.scored = true;
          return true;
      }
    }
  }

  Status fill() {
    const std::span<char> room = input_.reader().room();
    DROPSCORE_TRY(const std::size_t got, source_->read(room));
    if (got == 0) {
      input_.reader().finish();
    } else {
      input_.reader().commit(got);
    }
    return {};
  }

  /// Leaves a scored piece to be written: by this thread if no other writes, as far as pieces are ready.
  void give(Place& place) {
    std::unique_lock lock(output_mutex_);
    place.ready = true;
    if (writing_) return;
    writing_ = true;
    for (;;) {
      Place& next = ring_[written_ % ring_.size()];
      if (stopped_ || !next.ready) break;
      lock.unlock();
      const Status done = write(next);
      lock.lock();
      if (!done && !stopped_) {
        stopped_ = true;
        failure_ = done.error();
      }
      next.ready = false;
      ++written_;
      output_changed_.notify_all();
    }
    writing_ = false;
  }

  /// By the thread that has set writing_.
  Status write(Place& place) {
    totals_.add(*input_.context(), place.piece, sink_->text());
    DROPSCORE_CHECK(sink_->flush(totals_.scored_any(), false));
    if (*progress_) (*progress_)(totals_.counts(place.bytes_read));
    return {};
  }

  /// The first failure counts.
  template <class Record>
  void fail_with(Record record) {
    const std::lock_guard lock(output_mutex_);
    if (!stopped_) record();
    stopped_ = true;
    output_changed_.notify_all();
  }

  const unsigned threads_;
  ByteSource* source_ = nullptr;
  Sink* sink_ = nullptr;
  const Progress* progress_ = nullptr;
  std::vector<Place> ring_;

  std::mutex input_mutex_;  // locked before output_mutex_; guards what follows
  ScoreInput input_;        // its context is there, and stays, from the first piece on
  features::EncodedRows read_rows_;
  std::optional<PieceScorer> read_scorer_;
  std::uint64_t taken_ = 0;
  bool input_ended_ = false;
  std::vector<std::jthread> helpers_;

  std::mutex output_mutex_;  // guards what follows
  std::condition_variable output_changed_;
  std::uint64_t written_ = 0;
  bool writing_ = false;  // a thread has totals_ and *sink_ to itself
  bool stopped_ = false;
  std::optional<Error> failure_;
  std::exception_ptr thrown_;
  ScoreTotals totals_;
};

ScorePipeline::ScorePipeline(std::shared_ptr<const model::Model> model, const ScoreOptions& options)
    : run_(std::make_unique<Run>(std::move(model), options)) {}
ScorePipeline::~ScorePipeline() = default;

Status ScorePipeline::run(ByteSource& source, const WriteText& write, const Progress& progress) {
  return run_->run(source, write, progress);
}

ScoreCounts ScorePipeline::counts() const { return run_->totals().counts(run_->reader().bytes_read()); }
std::string ScorePipeline::rejections_json() const { return run_->totals().rejections_json(); }
result::ErrorMembers ScorePipeline::error_members() const { return result::error_members(run_->totals().errors()); }
std::vector<std::string> ScorePipeline::notes() const { return run_->reader().notes(); }

}  // namespace dropscore::job
