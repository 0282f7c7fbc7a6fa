#include <filesystem>
#include <fstream>

#include "base/hash.h"
#include "event/local_inbox.h"
#include "inbox_contract.h"
#include "store/local_store.h"

namespace dropscore::event {
namespace {

namespace fs = std::filesystem;

class LocalFixture : public InboxFixture {
 public:
  LocalFixture() : folder_(fs::temp_directory_path() / ("dropscore-" + random_id())) {
    fs::create_directories(folder_ / "dir");
    store_ = store::open_local_store(folder_).value();
    LocalInboxOptions options;
    options.sweep_interval = std::chrono::hours(1);
    const IsPending never = [](const store::BlobInfo&) -> Result<bool> { return false; };
    inbox_ = open_local_inbox(folder_, *store_, never, options).value();
  }
  ~LocalFixture() override {
    inbox_.reset();
    fs::remove_all(folder_);
  }
  Inbox& inbox() override { return *inbox_; }
  void arrive(const std::string& blob) override { std::ofstream(folder_ / blob) << random_id(); }

 private:
  fs::path folder_;
  std::unique_ptr<store::BlobStore> store_;
  std::unique_ptr<Inbox> inbox_;
};

INSTANTIATE_TEST_SUITE_P(Local, InboxContract,
                         ::testing::Values(InboxUnderTest{"inbox", [] { return std::make_unique<LocalFixture>(); },
                                                          std::chrono::milliseconds(50)}),
                         name_of_inbox);

}  // namespace
}  // namespace dropscore::event
