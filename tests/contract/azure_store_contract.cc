// Against azurite, as tests/azure/with_azurite.py starts it.
#include "store/azure_store.h"

#include <cstdlib>
#include <stdexcept>

#include "azure/account.h"
#include "base/hash.h"
#include "store_contract.h"

namespace dropscore::store {
namespace {

azure::Account account_under_test() {
  const char* const text = std::getenv("DROPSCORE_TEST_AZURITE");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (text == nullptr) throw std::runtime_error("run this through tests/azure/with_azurite.py");
  const azure::ConnectionString connection = azure::parse_connection_string(text).value();
  azure::Account account;
  account.name = connection.account;
  account.blob_endpoint = connection.blob_endpoint;
  account.credential = azure::shared_key(connection.account, connection.key).value();
  return account;
}

/// A container of each test's own.
class AzureFixture : public StoreFixture {
 public:
  AzureFixture() {
    const Status made = make_container(account_, container_, std::make_shared<net::HttpClient>());
    if (!made) throw std::runtime_error(made.error().detail.text);
    store_ = open_again();
  }
  BlobStore& store() override { return *store_; }
  std::unique_ptr<BlobStore> open_again() override {
    AzureStoreOptions options;
    options.block_bytes = 1 * limits::mib;  // so that the suite's large blobs are of several
    return open_azure_store(account_, container_, std::make_shared<net::HttpClient>(), options).value();
  }
  std::string container() const override { return container_; }

 private:
  azure::Account account_ = account_under_test();
  std::string container_ = "box-" + random_id();
  std::unique_ptr<BlobStore> store_;
};

// A download under way goes on with the version that it began with, for as long as its connection lasts.
INSTANTIATE_TEST_SUITE_P(Azure, StoreContract,
                         ::testing::Values(StoreUnderTest{"store",
                                                          [] { return std::make_unique<AzureFixture>(); },
                                                          {Deviation::replaced_stays_readable}}),
                         name_of_store);

}  // namespace
}  // namespace dropscore::store
