#include "job/model_slot.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

using dropscore::testing::tiny_model;

TEST(ModelSlot, GivesTheModelThatWasPutInLast) {
  const auto first = tiny_model(0.25);
  const auto second = tiny_model(0.75);
  ModelSlot slot(first);
  EXPECT_EQ(slot.scorer().model_version(), first->version());
  slot.replace(second);
  EXPECT_EQ(slot.scorer().model_version(), second->version());
  std::thread([&] { EXPECT_EQ(slot.scorer().model_version(), second->version()); }).join();
}

TEST(ModelSlot, WhoeverHoldsAModelKeepsItAndTheLastOneFreesIt) {
  auto first = tiny_model(0.25);
  const std::weak_ptr<const model::Model> watched = first;
  const std::string version = first->version();
  ModelSlot slot(first);
  first.reset();
  auto held = std::make_unique<Scorer>(slot.scorer());
  slot.replace(tiny_model(0.75));
  EXPECT_EQ(held->model_version(), version);
  EXPECT_FALSE(watched.expired());
  held.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(ModelSlot, ManyThreadsAskWhileItIsReplaced) {
  const std::vector models{tiny_model(0.2), tiny_model(0.4), tiny_model(0.6)};
  ModelSlot slot(models[0]);
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> wrong = 0;
  std::vector<std::thread> readers;
  readers.reserve(8);
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto model = slot.model();
        const std::string version = Scorer(model).model_version();
        if (version != model->version()) ++wrong;
      }
    });
  }
  for (std::size_t i = 1; i <= 2000; ++i) {
    slot.replace(models[i % models.size()]);
    ASSERT_EQ(slot.model()->version(), models[i % models.size()]->version());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0U);
  for (std::size_t i = 0; i < models.size(); ++i) {
    EXPECT_EQ(models[i].use_count() == 1, models[i]->version() != slot.model()->version()) << i;
  }
}

}  // namespace
}  // namespace dropscore::job
