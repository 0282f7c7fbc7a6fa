#include "model/model.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/files.h"
#include "base/hash.h"
#include "model/additive.h"
#include "model/constant.h"
#include "model/logistic.h"
#include "model/svm.h"

namespace dropscore::model {
namespace {

using testing::HasSubstr;

schema::Schema small_schema() {
  schema::Schema schema;
  schema::Feature age;
  age.name = "Age";
  age.minimum = 18;
  age.maximum = 69.5;
  age.fill = 43;
  schema::Feature gender;
  gender.name = "Gender";
  gender.kind = schema::Kind::categorical;
  gender.categories = {"Female", "Male"};
  gender.fill = 1;
  schema.features = {age, gender};
  schema.target = {"Conversion", "0", "1"};
  schema.dropped.push_back({"CustomerID", "identifier"});
  return schema;
}

SvmForm small_svm() {
  SvmForm form;
  form.parameters = {.kernel = Kernel::rbf, .C = 10, .gamma = 0.1};
  form.standardizer = {{43.1, 0.4}, {14.9, 0.49}, {43, 1}, {false, true}};
  form.support_vectors = features::Matrix<double>(3, 2);
  const std::vector<double> values{0.1, -0.0, -1.25, 1e-300, 1.0 / 3, 123456789012345678901.0};
  std::copy(values.begin(), values.end(), form.support_vectors.data());
  form.coefficients = {-10, -0.1, 10.1};
  form.rho = -0.72;
  form.negative_support_vectors = 2;
  return form;
}

ModelParts small_parts() {
  ModelParts parts;
  parts.schema = small_schema();
  parts.predictor = std::make_unique<Svm>(small_svm());
  parts.calibration = {.kind = CalibrationKind::platt, .A = -2.448526012375315, .B = 0.697225075030077};
  parts.decision = {.kind = DecisionRule::Kind::probability, .threshold = 0.62};
  parts.training_json = R"({"rows": 6400,  "note": "as \u00e9 given"})";
  return parts;
}

std::shared_ptr<const Model> small_model() { return *Model::make(small_parts()); }

AdditiveForm small_additive() {
  AdditiveForm form;
  form.intercept = 1.0 / 3;
  form.floor = 0.03;
  form.drop = 0.0625;
  form.shapes = {{.cuts = {20, 40.5, 60}, .contribution = {-2, -2, 0.1, 1}, .slope = {0, 0.1, 0, 0}, .missing = 1e-300},
                 {.categorical = true, .cuts = {}, .contribution = {-0.5, 0.75}, .slope = {}, .missing = -0.25}};
  return form;
}

LogisticForm small_logistic() {
  return {.C = 0.5, .standardizer = small_svm().standardizer, .intercept = -0.1, .coefficients = {1.0 / 3, -2}};
}

/// The small model with each family's form.
std::vector<std::shared_ptr<const Model>> small_models() {
  std::vector<std::shared_ptr<const Model>> models{small_model()};
  ModelParts parts = small_parts();
  parts.calibration = {};
  parts.predictor = std::make_unique<Additive>(small_additive());
  models.push_back(*Model::make(parts));
  parts.predictor = std::make_unique<Logistic>(small_logistic());
  models.push_back(*Model::make(parts));
  parts.predictor = Constant::of_rate(2, 0.875);
  models.push_back(*Model::make(parts));
  return models;
}

/// `document` with one text replaced and, if asked for, the checksum put right.
std::string edited(std::string document, std::string_view from, std::string_view to, bool mend_checksum) {
  const std::size_t at = document.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  document.replace(at, from.size(), to);
  if (mend_checksum) {
    const std::size_t begin = document.find("\"body\":");
    const std::size_t body = document.find('{', begin);
    const std::size_t end = document.rfind('}', document.rfind('}') - 1) + 1;
    const std::size_t checksum = document.find("sha256:") + 7;
    document.replace(checksum, 64, sha256_hex(std::string_view(document).substr(body, end - body)));
  }
  return document;
}

std::string refusal(const std::string& document) {
  const auto model = Model::parse(document);
  if (model) return "loaded";
  EXPECT_EQ(model.error().kind, ErrorKind::give_up);
  return model.error().customer.text;
}

TEST(Model, ReadsBackBitForBit) {
  const auto model = small_model();
  const auto again = Model::parse(model->document());
  ASSERT_TRUE(again) << again.error().detail.text;
  EXPECT_EQ((*again)->document(), model->document());
  EXPECT_EQ((*again)->training_json(), small_parts().training_json);
  const auto& form = dynamic_cast<const Svm&>((*again)->predictor()).form();
  const SvmForm wanted = small_svm();
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_EQ(form.support_vectors(i, j), wanted.support_vectors(i, j));
      EXPECT_EQ(std::signbit(form.support_vectors(i, j)), std::signbit(wanted.support_vectors(i, j)));
    }
  }
  EXPECT_EQ(form.coefficients, wanted.coefficients);
  EXPECT_EQ(form.standardizer.categorical, wanted.standardizer.categorical);
  EXPECT_EQ(form.negative_support_vectors, 2U);
  EXPECT_EQ((*again)->schema().features[1].categories, small_schema().features[1].categories);
  EXPECT_EQ((*again)->calibration().A, -2.448526012375315);
  EXPECT_EQ((*again)->decision().threshold, 0.62);
  EXPECT_EQ(small_model()->document(), model->document()) << "the same parts, the same bytes";
}

TEST(Model, IsNamedByItsChecksum) {
  const auto model = small_model();
  EXPECT_EQ(model->version().size(), 12U);
  EXPECT_THAT(model->document(), HasSubstr("\"checksum\": \"sha256:" + model->version()));
  ModelParts other = small_parts();
  other.decision.threshold = 0.63;
  EXPECT_NE((*Model::make(std::move(other)))->version(), model->version());
}

TEST(Model, SavesAndLoadsAFolder) {
  const auto folder = std::filesystem::temp_directory_path() / ("dropscore-" + random_id());
  const auto missing = Model::load(folder);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::misuse);
  EXPECT_THAT(missing.error().detail.text, HasSubstr("dropscore train"));
  ASSERT_TRUE(small_model()->save(folder));
  const auto loaded = Model::load(folder);
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->version(), small_model()->version());
  const auto file = Model::load(folder / "model.json");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::misuse);
  EXPECT_THAT(file.error().detail.text, HasSubstr("is a file: name the folder"));
  ASSERT_TRUE(write_file_atomically(folder / "model.json", "{"));
  EXPECT_EQ(Model::load(folder).error().kind, ErrorKind::give_up);
  std::filesystem::remove_all(folder);
}

TEST(Model, Scores) {
  features::Matrix<double> rows(3, 2);
  const std::vector<double> cells{35, 1, 60, 0, std::nan(""), -1};
  std::copy(cells.begin(), cells.end(), rows.data());
  std::vector<double> decisions(3);
  const auto model = small_model();
  model->predictor().decide(rows.view(), decisions);
  std::vector<Score> scores(3);
  model->score(rows.view(), scores);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(scores[i].probability, model->calibration().probability_of(decisions[i]));
    EXPECT_EQ(scores[i].converts, scores[i].probability >= 0.62);
  }
  ModelParts parts = small_parts();
  parts.decision = {.kind = DecisionRule::Kind::sign};
  parts.calibration.kind = CalibrationKind::original;
  const auto original = *Model::make(std::move(parts));
  EXPECT_EQ(original->preferred_precision(), Precision::double_precision);
  EXPECT_EQ(model->preferred_precision(), Precision::single_precision);
  original->score(rows.view(), scores);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(scores[i].converts, decisions[i] >= 0);
}

TEST(Model, ConstantIsTheRate) {
  ModelParts parts = small_parts();
  parts.predictor = Constant::of_rate(2, 0.875);
  parts.calibration = {};
  const auto model = *Model::make(std::move(parts));
  const features::Matrix<float> rows(2, 2);
  std::vector<Score> scores(2);
  (*Model::parse(model->document()))->score(rows.view(), scores);
  EXPECT_DOUBLE_EQ(scores[1].probability, 0.875);
}

TEST(Model, EveryFamilyReadsBackAndScoresTheSame) {
  features::Matrix<double> rows(4, 2);
  const std::vector<double> cells{35, 1, 60, 0, std::nan(""), -1, 1e308, 7};
  std::copy(cells.begin(), cells.end(), rows.data());
  for (const auto& model : small_models()) {
    const auto again = Model::parse(model->document());
    ASSERT_TRUE(again) << again.error().detail.text;
    ModelParts parts{.schema = (*again)->schema(),
                     .predictor = {*again, &(*again)->predictor()},
                     .calibration = (*again)->calibration(),
                     .decision = (*again)->decision(),
                     .training_json = (*again)->training_json()};
    EXPECT_EQ((*Model::make(std::move(parts)))->document(), model->document());
    std::vector<Score> scores(4);
    std::vector<Score> scores_again(4);
    model->score(rows.view(), scores);
    (*again)->score(rows.view(), scores_again);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(scores[i].probability, scores_again[i].probability);
  }
}

TEST(Model, RefusesAnAdditiveThatIsNone) {
  const std::string good = small_models()[1]->document();
  EXPECT_EQ(refusal(edited(good, "40.5", "41", true)), "loaded");
  EXPECT_THAT(refusal(edited(good, "40.5", "70", true)), HasSubstr("$.body.predictor: shapes[0]: cuts must ascend"));
  EXPECT_THAT(refusal(edited(good, "\"drop\": 0.0625", "\"drop\": 0.5", true)), HasSubstr("floor and drop"));
  EXPECT_THAT(refusal(edited(good, "[0, 0.1, 0, 0]", "[0, 0.1, 0, 1]", true)), HasSubstr("outer slopes"));
  EXPECT_THAT(refusal(edited(good, "[0, 0.1, 0, 0]", "[0, 1e300, 0, 0]", true)), HasSubstr("steep"));
  EXPECT_THAT(refusal(edited(good, "[-2, -2, 0.1, 1]", "[-2, -2, 0.1]", true)), HasSubstr("3 contributions"));
  EXPECT_THAT(refusal(edited(good, "[-2, -2, 0.1, 1]", "[-2, -2, 1e16, 1]", true)), HasSubstr("contribution"));
  EXPECT_THAT(refusal(edited(good, "\"missing\": -0.25", "\"missing\": null", true)),
              HasSubstr("$.body.predictor.shapes[1].missing"));
  EXPECT_THAT(refusal(edited(good, "\"categorical\": true", "\"categorical\": false", true)),
              HasSubstr("\"cuts\" is missing"));
  EXPECT_THAT(refusal(edited(good, "\"intercept\"", "\"run\": 1, \"intercept\"", true)), HasSubstr("\"run\""));
}

TEST(Model, RefusesALogisticThatIsNone) {
  const std::string good = small_models()[2]->document();
  EXPECT_THAT(refusal(edited(good, "\"C\": 0.5", "\"C\": 0", true)), HasSubstr("$.body.predictor.C"));
  EXPECT_THAT(refusal(edited(good, ", -2]", "]", true)), HasSubstr("1 numbers, but the standardizer has 2"));
  EXPECT_THAT(refusal(edited(good, ", -2]", ", -2e300]", true)), HasSubstr("$.body.predictor.coefficients"));
  EXPECT_THAT(refusal(edited(good, "\"intercept\": -0.1", "\"intercept\": -1e200", true)), HasSubstr("intercept"));
}

TEST(Model, RefusesPartsThatDoNotFit) {
  ModelParts parts = small_parts();
  parts.schema.features.pop_back();
  EXPECT_THAT(Model::make(std::move(parts)).error().customer.text, HasSubstr("2 features, but the schema has 1"));
  parts = small_parts();
  parts.decision.threshold = std::nan("");
  EXPECT_FALSE(Model::make(std::move(parts)));
  parts = small_parts();
  parts.predictor = nullptr;
  EXPECT_FALSE(Model::make(std::move(parts)));
  parts = small_parts();
  parts.training_json = "[1]";
  EXPECT_FALSE(Model::make(std::move(parts)));
  parts = small_parts();
  parts.training_json = "{} , \"more\": {}";
  EXPECT_FALSE(Model::make(std::move(parts))) << "nothing is smuggled in beside it";
  parts = small_parts();
  SvmForm form = small_svm();
  form.rho = std::nan("");
  parts.predictor = std::make_unique<Svm>(std::move(form));
  EXPECT_THAT(Model::make(std::move(parts)).error().customer.text, HasSubstr("$.body.predictor.rho: not a number"));
}

TEST(Model, RefusesWhatItDoesNotKnow) {
  const std::string good = small_model()->document();
  EXPECT_THAT(refusal(edited(good, "dropscore-model", "other", false)), HasSubstr("$.format"));
  EXPECT_THAT(refusal(edited(good, "\"format_version\": 1", "\"format_version\": 2", false)),
              HasSubstr("use the program that wrote it"));
  EXPECT_THAT(refusal(edited(good, "\"format_version\": 1,", "", false)), HasSubstr("\"format_version\" is missing"));
  EXPECT_THAT(refusal(edited(good, "\"format_version\"", "\"hook\": \"x\", \"format_version\"", false)),
              HasSubstr("\"hook\" is not known"));
  EXPECT_THAT(refusal(edited(good, "0.62", "0.61", false)), HasSubstr("$.checksum"));
  EXPECT_THAT(refusal(edited(good, "0.62", "0.61", true)), "loaded");
  EXPECT_THAT(refusal(edited(good, "0.62", "null", true)), HasSubstr("$.body.decision.threshold"));
  EXPECT_THAT(refusal(edited(good, "\"svm\"", "\"pickle\"", true)), HasSubstr("$.body.predictor.family"));
  EXPECT_THAT(refusal(edited(good, "\"rho\"", "\"run\": 1, \"rho\"", true)), HasSubstr("\"run\" is not known"));
  EXPECT_THAT(refusal(edited(good, "\"rho\": -0.72,", "", true)), HasSubstr("\"rho\" is missing"));
  EXPECT_THAT(refusal(edited(good, "\"rho\"", "\"C\": 1, \"rho\"", true)), HasSubstr("\"C\" stands twice"));
  EXPECT_THAT(refusal(edited(good, "[-10, ", "[", true)), HasSubstr("$.body.predictor.support_vectors"));
  EXPECT_THAT(refusal(edited(good, "[0.1, -0.0]", "[0.1]", true)),
              HasSubstr("$.body.predictor.support_vectors[0]: 1 numbers"));
  EXPECT_THAT(refusal(edited(good, "[14.9, 0.49]", "[0, 0.49]", true)), HasSubstr("standardizer.scale"));
  EXPECT_THAT(refusal(edited(good, "\"platt\"", "\"magic\"", true)), HasSubstr("$.body.calibration.kind"));
  EXPECT_THAT(refusal("{}"), HasSubstr("train again"));
  EXPECT_THAT(refusal(""), HasSubstr("not readable as JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("not an object"));
  EXPECT_THAT(refusal(std::string(5000, '[')), HasSubstr("not readable as JSON"));
  EXPECT_THAT(refusal(good + good), HasSubstr("not readable as JSON"));
}

std::string mutated(std::string document) {
  const int changes = *rc::gen::inRange(1, 5);
  for (int i = 0; i < changes && !document.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, document.size());
    switch (*rc::gen::inRange(0, 5)) {
      case 0: document[at] = static_cast<char>(*rc::gen::inRange(0, 256)); break;
      case 1: document[at] = *rc::gen::element('{', '}', '[', ']', ',', ':', '"', '0', '9', '-', 'e', '.'); break;
      case 2: document.erase(at, *rc::gen::inRange<std::size_t>(1, 40)); break;
      case 3: {
        const auto from = *rc::gen::inRange<std::size_t>(0, document.size());
        document.insert(at, document.substr(from, *rc::gen::inRange<std::size_t>(1, 40)));
        break;
      }
      default: document.resize(at); break;
    }
  }
  return document;
}

RC_GTEST_PROP(Model, AMutatedDocumentIsRefusedOrTheSame, ()) {
  const auto model = *rc::gen::elementOf(small_models());
  const auto loaded = Model::parse(mutated(model->document()));
  if (!loaded) {
    RC_ASSERT(loaded.error().kind == ErrorKind::give_up);
    return;
  }
  // Blanks around the body may differ, the body may not.
  RC_ASSERT((*loaded)->version() == model->version());
  RC_ASSERT((*loaded)->training_json() == model->training_json());
}

RC_GTEST_PROP(Model, AMutationWithARightChecksumIsRefusedOrScores, ()) {
  const std::string document = (*rc::gen::elementOf(small_models()))->document();
  const std::size_t body = document.find('{', document.find("\"body\":"));
  const std::size_t end = document.rfind('}');
  const std::string changed = mutated(document.substr(body, end - body));
  std::string whole = document.substr(0, body) + changed + "}";
  const std::string trimmed = changed.substr(0, changed.find_last_of('}') + 1);
  whole.replace(whole.find("sha256:") + 7, 64, sha256_hex(trimmed));
  const auto loaded = Model::parse(whole);
  if (!loaded) return;
  features::Matrix<float> rows(3, (*loaded)->schema().size());
  std::fill_n(rows.data(), rows.columns(), 50.0F);
  std::fill_n(rows.row(2).begin(), rows.columns(), std::numeric_limits<float>::quiet_NaN());
  std::vector<Score> scores(3);
  (*loaded)->score(rows.view(), scores);
  for (const Score& score : scores) RC_ASSERT(score.probability >= 0 && score.probability <= 1);
}

}  // namespace
}  // namespace dropscore::model
