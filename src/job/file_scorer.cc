#include "job/file_scorer.h"

#include <utility>

namespace dropscore::job {
namespace {

constexpr std::size_t write_chunk_bytes = 256 * limits::kib;

/// Moves everything from the source through the stream.
Status pump(ByteSource& source, ScoreStream& stream, const WriteText& write) {
  std::string out;
  for (;;) {
    DROPSCORE_TRY(const ScoreStream::Step step, stream.next(out));
    if (out.size() >= write_chunk_bytes || step == ScoreStream::Step::end) {
      DROPSCORE_CHECK(write(out));
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

class ModelFileScorer : public FileScorer {
 public:
  explicit ModelFileScorer(Scorer scorer) : scorer_(std::move(scorer)) {}

  Result<std::string> model_version() const override { return scorer_.model_version(); }

  tl::expected<ScoredFile, FileRefusal> score(ByteSource& input, const WriteText& write,
                                              const ScoreOptions& options) const override {
    ScoreStream stream = scorer_.stream(options);
    if (const Status done = pump(input, stream, write); !done) {
      return tl::unexpected<FileRefusal>(FileRefusal{done.error(), stream.error_members()});
    }
    return ScoredFile{scorer_.model_version(), stream.counts(), stream.notes()};
  }

 private:
  Scorer scorer_;
};

}  // namespace

std::shared_ptr<const FileScorer> file_scorer(const Scorer& scorer) {
  return std::make_shared<const ModelFileScorer>(scorer);
}

}  // namespace dropscore::job
