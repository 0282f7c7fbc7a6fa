#include <filesystem>

#include "base/hash.h"
#include "store/local_store.h"
#include "store_contract.h"

namespace dropscore::store {
namespace {

class LocalFixture : public StoreFixture {
 public:
  LocalFixture() : above_(std::filesystem::temp_directory_path() / ("dropscore-" + random_id())) {
    store_ = open_local_store(above_ / container()).value();
  }
  ~LocalFixture() override {
    store_.reset();
    std::filesystem::remove_all(above_);
  }
  BlobStore& store() override { return *store_; }
  std::unique_ptr<BlobStore> open_again() override { return open_local_store(above_ / container()).value(); }
  std::string container() const override { return "output-results"; }

 private:
  std::filesystem::path above_;
  std::unique_ptr<BlobStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Local, StoreContract,
                         ::testing::Values(StoreUnderTest{
                             "store",
                             [] { return std::make_unique<LocalFixture>(); },
                             {Deviation::folder_takes_name, Deviation::hidden_names_refused,
                              Deviation::etag_is_content_hash, Deviation::replaced_stays_readable}}),
                         name_of_store);

}  // namespace
}  // namespace dropscore::store
