#include "job/publish_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/model_source.h"
#include "store/memory_store.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

using dropscore::testing::tiny_model;
using ::testing::HasSubstr;

class PublishTest : public ::testing::Test {
 protected:
  std::string text_of(const std::string& name) { return store::read_all(*store_, name, 1 << 20).value_or("absent"); }

  std::shared_ptr<store::BlobStore> store_ = store::make_memory_store("models");
  std::shared_ptr<const model::Model> first_ = tiny_model(0.25);
  std::shared_ptr<const model::Model> second_ = tiny_model(0.75);
};

TEST_F(PublishTest, IsWhatASourceFindsAndEveryVersionIsKept) {
  const auto source = stored_models(store_, "current", "here");
  EXPECT_EQ(load_model(*source).error().kind, ErrorKind::give_up);
  EXPECT_EQ(publish_model(*store_, "current", *first_)->before, "");
  EXPECT_EQ((*load_model(*source))->version(), first_->version());
  EXPECT_EQ(publish_model(*store_, "current", *second_)->before, first_->version());
  EXPECT_EQ((*load_model(*source))->version(), second_->version());
  EXPECT_EQ(text_of("current/versions/" + first_->version() + "/model.json"), first_->document());
  EXPECT_EQ(text_of("current/versions/" + second_->version() + "/model.json"), second_->document());
}

TEST_F(PublishTest, GoingBackIsPublishingTheOldOneAgain) {
  ASSERT_TRUE(publish_model(*store_, "", *first_));
  ASSERT_TRUE(publish_model(*store_, "", *second_));
  const auto old = stored_models(store_, "versions/" + first_->version(), "here");
  const auto back = publish_model(*store_, "", **load_model(*old));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->before, second_->version());
  EXPECT_EQ(text_of("model.json"), first_->document());
}

TEST_F(PublishTest, TheSameAgainWritesNothing) {
  ASSERT_TRUE(publish_model(*store_, "", *first_));
  const std::string etag = store_->properties("model.json")->info.etag;
  EXPECT_EQ(publish_model(*store_, "", *first_)->before, first_->version());
  EXPECT_EQ(store_->properties("model.json")->info.etag, etag);
}

TEST_F(PublishTest, OneThatWasUploadedByOtherMeansIsReplaced) {
  ASSERT_TRUE(store::write_all(*store_, "model.json", first_->document(), store::WriteCondition::always(), {}));
  EXPECT_EQ(publish_model(*store_, "", *second_)->before, "");
  EXPECT_EQ(text_of("model.json"), second_->document());
}

/// Somebody else publishes between the look and the writing.
class RacingStore final : public dropscore::testing::ForwardingStore {
 public:
  RacingStore(store::BlobStore& inner, const model::Model& other) : ForwardingStore(inner), other_(other) {}
  Result<store::BlobProperties> properties(std::string_view name) override {
    Result<store::BlobProperties> found = inner().properties(name);
    EXPECT_TRUE(store::write_all(inner(), name, other_.document(), store::WriteCondition::always(), {}));
    return found;
  }

 private:
  const model::Model& other_;
};

TEST_F(PublishTest, OfTwoAtATimeOneIsTold) {
  ASSERT_TRUE(publish_model(*store_, "", *first_));
  const auto third = tiny_model(0.6);
  RacingStore racing(*store_, *third);
  const auto published = publish_model(racing, "", *second_);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().kind, ErrorKind::changed);
  EXPECT_THAT(published.error().detail.text, HasSubstr(second_->version()));
  EXPECT_EQ(text_of("model.json"), third->document());
}

}  // namespace
}  // namespace dropscore::job
