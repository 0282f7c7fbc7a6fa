// Against azurite, as tests/azure/with_azurite.py starts it.
#include "event/queue_inbox.h"

#include "base/hash.h"
#include "event/azure_queue.h"
#include "event/blob_event.h"
#include "inbox_contract.h"
#include "store/memory_store.h"
#include "tests/azure/azurite_account.h"

namespace dropscore::event {
namespace {

/// A queue of each test's own.
class QueueFixture : public InboxFixture {
 public:
  QueueFixture() {
    EXPECT_TRUE(queue_.make());
    QueueInboxOptions options;
    options.first_idle_wait = options.last_idle_wait = std::chrono::milliseconds(10);
    options.sweep.interval = std::chrono::hours(1);
    const FindPending none = [](const auto&) { return Status(); };
    inbox_ = open_queue_inbox(account_, queue_.name(), client_, *input_, none, options).value();
  }
  Inbox& inbox() override { return *inbox_; }
  void arrive(const std::string& blob) override {
    EXPECT_TRUE(queue_.put(event_json({random_id(), "2026-11-23T01:00:00Z", account_.name, "in", blob, "0x8D"})));
  }

 private:
  azure::Account account_ = dropscore::testing::azurite_account();
  std::shared_ptr<net::HttpClient> client_ = std::make_shared<net::HttpClient>();
  AzureQueue queue_{account_, "work-" + random_id(), client_};
  std::unique_ptr<store::BlobStore> input_ = store::make_memory_store("in");
  std::unique_ptr<Inbox> inbox_;
};

INSTANTIATE_TEST_SUITE_P(Queue, InboxContract,
                         ::testing::Values(InboxUnderTest{"inbox", [] { return std::make_unique<QueueFixture>(); },
                                                          std::chrono::milliseconds(1000)}),
                         name_of_inbox);

}  // namespace
}  // namespace dropscore::event
