#include "store/memory_store.h"

#include "store_contract.h"

namespace dropscore::store {
namespace {

class MemoryFixture : public StoreFixture {
 public:
  BlobStore& store() override { return *store_; }
  std::unique_ptr<BlobStore> open_again() override { return nullptr; }
  std::string container() const override { return "box"; }

 private:
  std::unique_ptr<BlobStore> store_ = make_memory_store("box");
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         ::testing::Values(StoreUnderTest{
                             "store", [] { return std::make_unique<MemoryFixture>(); }, {}}),
                         name_of_store);

}  // namespace
}  // namespace dropscore::store
