#include "job/live_model.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/hash.h"
#include "store/memory_store.h"
#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

namespace fs = std::filesystem;
using dropscore::testing::tiny_model;
using dropscore::testing::tiny_model_parts;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr milliseconds often{5};

/// A folder that counts how often it was looked at.
class CountedLooks final : public ModelSource {
 public:
  CountedLooks(const fs::path& folder, std::atomic<int>& fetched) : folder_(folder_models(folder)), fetched_(fetched) {}
  Result<std::optional<ModelDocument>> fetch(std::string_view known) override {
    auto found = folder_->fetch(known);
    ++fetched_;
    return found;
  }
  bool may_be_unfinished() const override { return folder_->may_be_unfinished(); }
  const std::string& where() const override { return folder_->where(); }
  Error nothing_there() const override { return folder_->nothing_there(); }

 private:
  std::unique_ptr<ModelSource> folder_;
  std::atomic<int>& fetched_;
};

/// What programs are told to look at, and what lies there.
class LiveModelTest : public ::testing::Test {
 protected:
  LiveModelTest() { fs::create_directories(folder_); }
  ~LiveModelTest() override { fs::remove_all(root_); }

  void put(const model::Model& model, const fs::path& folder) { EXPECT_TRUE(model.save(folder)); }
  static void write(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::trunc) << text; }
  std::shared_ptr<LiveModel> start(milliseconds interval = often) {
    auto started =
        LiveModel::start(std::make_unique<CountedLooks>(folder_, looks_), {.interval = interval, .wait_at_start = {}});
    EXPECT_TRUE(started) << started.error().detail.text;
    return *started;
  }
  static bool comes(const LiveModel& live, const std::string& version) {
    for (int i = 0; i < 2000; ++i) {
      if (live.model()->version() == version) return true;
      std::this_thread::sleep_for(often);
    }
    return false;
  }
  void wait_for_looks(int number) const {
    while (looks_ < number) std::this_thread::sleep_for(milliseconds(1));
  }
  /// Enough looks for whatever is there to have been taken up: one that was under way, some that began after this call,
  /// and one more, which shows that those before it have ended.
  void look_around() const { wait_for_looks(looks_ + 6); }
  /// Until a look that began after this call has seen what is there, for a model without an interval.
  void look_once(LiveModel& live) const {
    const int before = looks_;
    live.look_now();
    wait_for_looks(before + 1);
  }

  std::atomic<int> looks_ = 0;  ///< that have seen what is there
  fs::path root_ = fs::temp_directory_path() / ("live-model-" + random_id());
  fs::path folder_ = root_ / "models";
  std::shared_ptr<const model::Model> first_ = tiny_model(0.25);
  std::shared_ptr<const model::Model> second_ = tiny_model(0.75);
};

TEST_F(LiveModelTest, TakesUpADocumentThatIsRenamedIntoPlace) {
  put(*first_, folder_);
  const auto live = start();
  EXPECT_EQ(live->scorer().model_version(), first_->version());
  put(*second_, folder_);
  EXPECT_TRUE(comes(*live, second_->version()));
}

TEST_F(LiveModelTest, TakesUpAFolderThatIsRenamedIntoPlace) {
  put(*first_, folder_);
  const auto live = start();
  put(*second_, root_ / "new");
  fs::rename(folder_, root_ / "old");
  fs::rename(root_ / "new", folder_);
  EXPECT_TRUE(comes(*live, second_->version()));
}

TEST_F(LiveModelTest, TakesUpALinkThatIsSwitchedAsKubernetesDoes) {
  put(*first_, folder_ / "..v1");
  put(*second_, folder_ / "..v2");
  fs::create_directory_symlink("..v1", folder_ / "..data");
  fs::create_symlink("..data/model.json", folder_ / "model.json");
  const auto live = start();
  EXPECT_EQ(live->model()->version(), first_->version());
  fs::create_directory_symlink("..v2", folder_ / "..data_tmp");
  fs::rename(folder_ / "..data_tmp", folder_ / "..data");
  EXPECT_TRUE(comes(*live, second_->version()));
}

TEST_F(LiveModelTest, RefusesABrokenDocumentAndGoesOnWithTheOldOne) {
  put(*first_, folder_);
  const auto live = start();
  std::string changed = second_->document();
  changed.replace(changed.find("0.75"), 4, "0.76");  // the checksum does not fit any more
  std::string unknown = second_->document();
  unknown.replace(unknown.find("\"format_version\": 1"), 19, "\"format_version\": 9");
  for (const std::string& broken : {changed, unknown, std::string("{"), std::string()}) {
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(write_file_atomically(folder_ / "model.json", broken));
    look_around();
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(live->model()->version(), first_->version());
    const std::size_t at = said.find("model_refused");
    EXPECT_NE(at, std::string::npos) << said;
    EXPECT_EQ(said.find("model_refused", at + 1), std::string::npos) << "said again and again: " << said;
  }
  put(*second_, folder_);
  EXPECT_TRUE(comes(*live, second_->version()));
}

TEST_F(LiveModelTest, ADocumentThatIsStillBeingWrittenIsNotComplainedAbout) {
  put(*first_, folder_);
  const auto live = start(milliseconds(0));
  const std::string& text = second_->document();
  ::testing::internal::CaptureStderr();
  {
    std::ofstream out(folder_ / "model.json", std::ios::trunc);
    for (std::size_t at = 0; at + 200 < text.size(); at += 100) {
      out << text.substr(at, 100) << std::flush;
      look_once(*live);
      EXPECT_EQ(live->model()->version(), first_->version());
    }
    out << text.substr(static_cast<std::size_t>(out.tellp()));
  }
  live->look_now();
  EXPECT_TRUE(comes(*live, second_->version()));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::Not(HasSubstr("model_refused")));
}

TEST_F(LiveModelTest, AModelThatIsTakenAwayStaysInUse) {
  put(*first_, folder_);
  const auto live = start();
  ::testing::internal::CaptureStderr();
  fs::remove(folder_ / "model.json");
  look_around();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("model_refresh_failed"));
  EXPECT_EQ(live->model()->version(), first_->version());
  put(*second_, folder_);
  EXPECT_TRUE(comes(*live, second_->version()));
}

TEST_F(LiveModelTest, WithoutAnIntervalItLooksWhenTold) {
  put(*first_, folder_);
  const auto live = start(milliseconds(0));
  put(*second_, folder_);
  std::this_thread::sleep_for(20 * often);
  EXPECT_EQ(live->model()->version(), first_->version());
  live->look_now();
  EXPECT_TRUE(comes(*live, second_->version()));
}

TEST_F(LiveModelTest, AFolderWithoutAModelIsMisuseAndABrokenOneIsNamed) {
  const auto none = LiveModel::start(folder_models(folder_), {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::misuse);
  EXPECT_THAT(none.error().detail.text, HasSubstr("dropscore train"));
  write(folder_ / "model.json", "{}");
  const auto broken = LiveModel::start(folder_models(folder_), {});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::give_up);
  EXPECT_THAT(broken.error().detail.text, HasSubstr((folder_ / "model.json").string()));
}

TEST_F(LiveModelTest, AnEmptyContainerIsWaitedForAndNotForEver) {
  const std::shared_ptr<store::BlobStore> store = store::make_memory_store("models");
  const auto none = LiveModel::start(stored_models(store, "", "URL/model.json"), {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::give_up);
  EXPECT_THAT(none.error().detail.text, HasSubstr("dropscore publish"));
  std::thread publisher([&] {
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_TRUE(store::write_all(*store, "model.json", first_->document(), store::WriteCondition::always(), {}));
  });
  const auto live = LiveModel::start(stored_models(store, "", "URL/model.json"),
                                     {.interval = often, .wait_at_start = milliseconds(60'000)});
  publisher.join();
  ASSERT_TRUE(live);
  EXPECT_TRUE(store::write_all(*store, "model.json", second_->document(), store::WriteCondition::always(), {}));
  EXPECT_TRUE(comes(**live, second_->version()));
}

TEST_F(LiveModelTest, HundredsOfModelsLeaveOnlyTheLast) {
  put(*first_, folder_);
  const auto live = start(milliseconds(0));
  std::vector<std::weak_ptr<const model::Model>> seen{live->model()};
  for (int i = 1; i <= 200; ++i) {
    const auto next = tiny_model(i / 1000.0);
    put(*next, folder_);
    live->look_now();
    ASSERT_TRUE(comes(*live, next->version()));
    seen.emplace_back(live->model());
  }
  seen.pop_back();
  for (std::size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_TRUE(seen[i].expired()) << i;
}

TEST(CompareColumns, NamesWhatCameWentAndChangedItsKind) {
  model::ModelParts parts = tiny_model_parts();
  parts.schema.features[0].name = "Income";
  parts.schema.features[1].kind = schema::Kind::numeric;
  parts.schema.features[1].categories.clear();
  const auto other = *model::Model::make(std::move(parts));
  const ColumnChanges changes = compare_columns(*tiny_model(), *other);
  EXPECT_THAT(changes.added, ElementsAre("Income"));
  EXPECT_THAT(changes.removed, ElementsAre("Age"));
  EXPECT_THAT(changes.retyped, ElementsAre("Channel"));
  EXPECT_TRUE(changes.any());
  const ColumnChanges none = compare_columns(*tiny_model(0.1), *tiny_model(0.9));
  EXPECT_THAT(none.added, IsEmpty());
  EXPECT_FALSE(none.any());
}

}  // namespace
}  // namespace dropscore::job
