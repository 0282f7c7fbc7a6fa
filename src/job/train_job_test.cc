#include "job/train_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text_source.h"
#include "job/sample.h"
#include "metrics/split.h"

namespace dropscore::job {
namespace {

using ::testing::HasSubstr;

std::string sample(std::uint64_t rows) {
  std::string all;
  EXPECT_TRUE(write_sample({rows, 3, true}, [&all](std::string_view piece) {
    all.append(piece);
    return Status{};
  }));
  return all;
}

TrainOptions only(const std::string& model) {
  TrainOptions options;
  options.models = {model};
  return options;
}

Result<Trained> train_on(std::string text, const TrainOptions& options = only("svm")) {
  TextSource source(std::move(text));
  return train(source, nullptr, options);
}

TEST(Train, MakesAModelAndAReport) {
  const auto trained = train_on(sample(600));
  ASSERT_TRUE(trained) << trained.error().detail.text;
  const TrainReport& report = trained->report;
  EXPECT_EQ(report.data.training_rows, 480U);
  EXPECT_EQ(report.data.holdout_rows, 120U);
  EXPECT_EQ(report.data.features, 16U);
  ASSERT_EQ(report.candidates.size(), 1U);
  EXPECT_EQ(report.candidates[0].holdout->figures.confusion.total(), 120U);
  EXPECT_EQ(report.candidates[0].cross_validated->figures.confusion.total(), 480U);
  ASSERT_TRUE(report.candidates[0].support_vectors);
  EXPECT_THAT(to_json(report), HasSubstr("\"support_vectors\""));
  EXPECT_THAT(to_text(report), HasSubstr("held out"));
}

TEST(Train, SameDataSeedAndOptionsGiveTheSameDocument) {
  TrainOptions one = only("all");
  one.threads = 1;
  TrainOptions two = only("all");
  two.threads = 2;
  EXPECT_EQ(train_on(sample(300), one)->model->document(), train_on(sample(300), two)->model->document());
}

/// Everything that training fits or chooses, as text.
std::string fitted_parts(const model::Model& model) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  schema::write(json, model.schema());
  json.begin_object();
  model.predictor().save(json);
  json.end_object();
  model::write(json, model.calibration());
  json.value(model.decision().threshold);
  json.end_array();
  return out;
}

/// The held-out rows' features are replaced by nonsense: nothing that was fitted, calibrated or chosen may notice.
TEST(Train, NothingOfTheHeldOutRowsReachesTheModel) {
  const std::string text = sample(300);
  const auto before = train_on(text);
  ASSERT_TRUE(before);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 1; i < lines.size(); ++i) labels.push_back(lines[i].back() == '1' ? 1 : 0);
  const auto split = metrics::stratified_split(labels, 0.2, 42);
  ASSERT_TRUE(split);
  // Labels stay, because the split is stratified by them.
  for (const std::size_t row : split->test) {
    std::string& line = lines[row + 1];
    line = "1,99,Female,1,Email,Awareness,1,1,1,1,1,1,1,1,1,1,1,Sample,Sample," + line.substr(line.size() - 1);
  }
  std::string changed;
  for (const std::string& line : lines) changed += line + "\n";
  const auto after = train_on(changed);
  ASSERT_TRUE(after) << after.error().detail.text;
  EXPECT_EQ(fitted_parts(*before->model), fitted_parts(*after->model));
  EXPECT_NE(before->report.candidates[0].holdout->figures.log_loss,
            after->report.candidates[0].holdout->figures.log_loss);
}

TEST(Train, TriesEveryModelAndPutsTheBestFirst) {
  const auto trained = train_on(sample(600), only("all"));
  ASSERT_TRUE(trained) << trained.error().detail.text;
  const auto& candidates = trained->report.candidates;
  EXPECT_EQ(candidates.size(), 6U);
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    EXPECT_LE(candidates[i - 1].cross_validated->figures.log_loss, candidates[i].cross_validated->figures.log_loss);
  }
  EXPECT_EQ(candidates.front().model, trained->report.winner);
  EXPECT_EQ(trained->report.importances.size(), 16U);
  EXPECT_THAT(to_card(trained->report, *trained->model), HasSubstr("## Limits of use"));
}

TEST(Train, WarnsWhereAModelDoesNotBeatTheConstantBaseline) {
  TrainOptions options = only("logistic");
  options.threshold = "0";  // everyone converts
  const auto trained = train_on(sample(300), options);
  ASSERT_TRUE(trained);
  EXPECT_THAT(trained->report.candidates[0].warnings, ::testing::Contains(HasSubstr("accuracy")));
}

TEST(Train, RefusesWhatCannotBeLearnedFrom) {
  EXPECT_THAT(train_on("Age,Conversion\n1,0\n2,1\n").error().customer.text, HasSubstr("too few"));
  TrainOptions options;
  options.target = "Bought";
  EXPECT_THAT(train_on(sample(50), options).error().customer.text, HasSubstr("no column \"Bought\""));
  options = {};
  options.models = {"oracle"};
  EXPECT_EQ(train_on(sample(50), options).error().kind, ErrorKind::misuse);
  options = {};
  options.set["svm"]["Q"] = "1";
  EXPECT_EQ(train_on(sample(50), options).error().kind, ErrorKind::misuse);
}

TEST(Train, StopsWhenAsked) {
  TextSource source(sample(300));
  TrainHooks hooks;
  hooks.stop_requested = [] { return true; };
  const auto stopped = train(source, nullptr, {}, hooks);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::give_up);
}

}  // namespace
}  // namespace dropscore::job
