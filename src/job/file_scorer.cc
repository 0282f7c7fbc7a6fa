#include "job/file_scorer.h"

#include <utility>

namespace dropscore::job {
namespace {

class ModelFileScorer : public FileScorer {
 public:
  explicit ModelFileScorer(Scorer scorer) : scorer_(std::move(scorer)) {}

  Result<std::string> model_version() const override { return scorer_.model_version(); }

  tl::expected<ScoredFile, FileRefusal> score(ByteSource& input, const WriteText& write,
                                              const ScoreOptions& options) const override {
    ScorePipeline pipeline = scorer_.pipeline(options);
    if (const Status done = pipeline.run(input, write); !done) {
      return tl::unexpected<FileRefusal>(FileRefusal{done.error(), pipeline.error_members(), pipeline.counts()});
    }
    return ScoredFile{scorer_.model_version(), pipeline.counts(), pipeline.notes()};
  }

 private:
  Scorer scorer_;
};

}  // namespace

std::shared_ptr<const FileScorer> file_scorer(const Scorer& scorer) {
  return std::make_shared<const ModelFileScorer>(scorer);
}

}  // namespace dropscore::job
