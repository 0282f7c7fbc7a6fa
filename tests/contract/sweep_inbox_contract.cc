#include "event/store_sweep.h"
#include "inbox_contract.h"

namespace dropscore::event {
namespace {

/// Told by notify(): what its sweeps find comes without being asked for, and has tests of its own.
class SweepFixture : public InboxFixture {
 public:
  Inbox& inbox() override { return *inbox_; }
  void arrive(const std::string& blob) override { inbox_->notify(blob); }

 private:
  std::unique_ptr<SweepInbox> inbox_ = open_sweep_inbox([](const auto&) { return Status(); }).value();
};

INSTANTIATE_TEST_SUITE_P(Sweep, InboxContract,
                         ::testing::Values(InboxUnderTest{"inbox", [] { return std::make_unique<SweepFixture>(); },
                                                          std::chrono::milliseconds(50)}),
                         name_of_inbox);

}  // namespace
}  // namespace dropscore::event
