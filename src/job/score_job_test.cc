#include "job/score_job.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "store/memory_store.h"
#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

using ::testing::HasSubstr;

class ScoreJobTest : public ::testing::Test {
 protected:
  void drop(const std::string& name, std::string_view content) {
    ASSERT_TRUE(store::write_all(*input_, name, content, store::WriteCondition::always(), {}));
  }
  Outcome score(const std::string& name, const FileScorer& scorer) {
    const auto report = score_blob(stores_, name, scorer, {});
    EXPECT_TRUE(report) << report.error().detail.text;
    return report->outcome;
  }
  std::string result(const std::string& name) {
    return store::read_all(*output_, result_name(name), 1 << 20).value_or("absent");
  }
  bool pending(const std::string& name, const std::optional<std::string>& version = std::nullopt) {
    return *is_pending(stores_, input_->properties(name)->info, version);
  }

  std::unique_ptr<store::BlobStore> input_ = store::make_memory_store("input-data");
  std::unique_ptr<store::BlobStore> output_ = store::make_memory_store("output-results");
  Containers stores_{input_.get(), output_.get()};
  std::shared_ptr<const FileScorer> model_ = file_scorer(Scorer(dropscore::testing::tiny_model()));
  std::shared_ptr<const FileScorer> other_ = file_scorer(Scorer(dropscore::testing::tiny_model(0.9)));
  const FileScorer& scorer_ = *model_;
  const FileScorer& other_model_ = *other_;
};

constexpr const char* customers = "Age,Channel\n50,SEO\n30,PPC\n";

TEST_F(ScoreJobTest, PublishesTheResultBesideTheName) {
  drop("2026/a.csv", customers);
  EXPECT_TRUE(pending("2026/a.csv"));
  EXPECT_EQ(score("2026/a.csv", scorer_), Outcome::scored);
  EXPECT_FALSE(pending("2026/a.csv"));
  simdjson::dom::parser parser;
  const auto document = parser.parse(result("2026/a.csv")).value();
  EXPECT_EQ(document["blob_name"].get_string().value(), "input-data/2026/a.csv");
  EXPECT_EQ(document["predictions"]["summary"]["total_records"].get_uint64().value(), 2U);
}

TEST_F(ScoreJobTest, RedeliveryWritesNothingAndAChangedBlobANewResult) {
  drop("a.csv", customers);
  score("a.csv", scorer_);
  const std::string first = result("a.csv");
  EXPECT_EQ(score("a.csv", scorer_), Outcome::already_done);
  drop("a.csv", "Age,Channel\n20,SEO\n");
  EXPECT_TRUE(pending("a.csv"));
  EXPECT_EQ(score("a.csv", scorer_), Outcome::scored);
  EXPECT_NE(result("a.csv"), first);
}

TEST_F(ScoreJobTest, TheSameVersionUnderTheSameModelGivesTheSameBytes) {
  drop("a.csv", customers);
  score("a.csv", scorer_);
  const std::string first = result("a.csv");
  ASSERT_TRUE(output_->remove(result_name("a.csv"), std::nullopt));
  EXPECT_TRUE(pending("a.csv"));
  EXPECT_EQ(score("a.csv", scorer_), Outcome::scored);
  EXPECT_EQ(result("a.csv"), first);
}

TEST_F(ScoreJobTest, ANewModelRescoresOnlyWhenAskedOrWhenTheFileIsDroppedAgain) {
  drop("a.csv", customers);
  score("a.csv", scorer_);
  EXPECT_FALSE(pending("a.csv"));
  EXPECT_TRUE(pending("a.csv", *other_model_.model_version()));
  EXPECT_EQ(score("a.csv", other_model_), Outcome::scored);
  EXPECT_FALSE(pending("a.csv", *other_model_.model_version()));
}

TEST_F(ScoreJobTest, AFileThatCannotBeScoredGetsADocumentThatSaysWhatToMend) {
  drop("a.csv", "Age,Chanel\n50,SEO\n");
  EXPECT_EQ(score("a.csv", scorer_), Outcome::error_document);
  EXPECT_FALSE(pending("a.csv")) << "waiting mends nothing";
  simdjson::dom::parser parser;
  const std::string text = result("a.csv");
  const auto document = parser.parse(text).value();
  EXPECT_EQ(document["processing_status"].get_string().value(), "error");
  EXPECT_THAT(std::string(document["error"].get_string().value()), HasSubstr("\"Channel\" is missing"));
}

TEST_F(ScoreJobTest, AFileOfBadRowsListsThem) {
  drop("a.csv", "Age,Channel\nold,SEO\n");
  EXPECT_EQ(score("a.csv", scorer_), Outcome::error_document);
  simdjson::dom::parser parser;
  const std::string text = result("a.csv");
  EXPECT_EQ(parser.parse(text)["errors"].at(0)["row"].get_uint64().value(), 2U);
}

TEST_F(ScoreJobTest, AFileThatWentAwayIsNoFault) { EXPECT_EQ(score("a.csv", scorer_), Outcome::gone); }

TEST_F(ScoreJobTest, AFileThatAnEventNamedAndThatIsGoneGetsADocument) {
  const auto report = score_blob(stores_, "a.csv", scorer_, {}, "0x1");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, Outcome::error_document);
  EXPECT_THAT(result("a.csv"), HasSubstr("upload it again"));
}

TEST_F(ScoreJobTest, AnEventThatComesAfterItsFileWasScoredAndDeletedLeavesTheResult) {
  drop("a.csv", customers);
  score("a.csv", scorer_);
  const std::string scored = result("a.csv");
  ASSERT_TRUE(input_->remove("a.csv", std::nullopt));
  const auto report = score_blob(stores_, "a.csv", scorer_, {}, "0x1");
  EXPECT_EQ(report->outcome, Outcome::gone);
  EXPECT_EQ(result("a.csv"), scored);
}

/// Another worker publishes while this one scores: after the first read.
class RacedScorer : public FileScorer {
 public:
  RacedScorer(const FileScorer& inner, std::function<void()> other) : inner_(inner), other_(std::move(other)) {}
  Result<std::string> model_version() const override { return inner_.model_version(); }
  tl::expected<ScoredFile, FileRefusal> score(ByteSource& input, const WriteText& write,
                                              const ScoreOptions& options) const override {
    other_();
    return inner_.score(input, write, options);
  }

 private:
  const FileScorer& inner_;
  std::function<void()> other_;
};

TEST_F(ScoreJobTest, OfTwoWorkersOnePublishes) {
  drop("a.csv", customers);
  const RacedScorer slow(scorer_, [&] { EXPECT_EQ(score("a.csv", scorer_), Outcome::scored); });
  EXPECT_EQ(score("a.csv", slow), Outcome::already_done);
}

TEST_F(ScoreJobTest, AWorkerThatFellBehindDoesNotCoverANewerResult) {
  drop("a.csv", customers);
  std::string newer;
  const RacedScorer slow(scorer_, [&] {
    drop("a.csv", "Age,Channel\n20,SEO\n");
    score("a.csv", scorer_);
    newer = result("a.csv");
  });
  const auto report = score_blob(stores_, "a.csv", slow, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::changed);
  EXPECT_EQ(result("a.csv"), newer);
}

TEST_F(ScoreJobTest, ASweepOfTheWholeFindsWhatHasNoResult) {
  for (const char* name : {"a.csv", "a", "dir/b.csv", "changed.csv"}) drop(name, customers);
  for (const char* name : {"a.csv", "changed.csv"}) score(name, scorer_);
  drop("changed.csv", "Age,Channel\n20,SEO\n");
  const auto pending_names = [this](const std::optional<std::string>& version) {
    std::set<std::string> names;
    EXPECT_TRUE(
        find_pending(stores_, version, [&](const store::BlobInfo& blob) { return names.insert(blob.name).second; }));
    return names;
  };
  EXPECT_THAT(pending_names(std::nullopt), ::testing::ElementsAre("a", "changed.csv", "dir/b.csv"));
  EXPECT_THAT(pending_names(*scorer_.model_version()), ::testing::ElementsAre("a", "changed.csv", "dir/b.csv"));
  EXPECT_THAT(pending_names(*other_model_.model_version()), ::testing::SizeIs(4));
}

TEST_F(ScoreJobTest, SettingAsideCoversNoResultOfTheSameVersion) {
  drop("a.csv", customers);
  score("a.csv", scorer_);
  const std::string scored = result("a.csv");
  ASSERT_TRUE(set_aside(stores_, "a.csv", input_->properties("a.csv")->info.etag, "too often", scorer_));
  EXPECT_EQ(result("a.csv"), scored);
}

TEST_F(ScoreJobTest, SettingAsideLeavesADocument) {
  drop("a.csv", customers);
  ASSERT_TRUE(set_aside(stores_, "a.csv", std::nullopt, "the disk is broken (tried 5 times)", scorer_));
  EXPECT_THAT(result("a.csv"), HasSubstr("tried 5 times"));
}

}  // namespace
}  // namespace dropscore::job
