// A sweep over a remote container: which blobs have no result. Finds every lost event, and is the whole trigger where
// there is no queue.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "event/inbox.h"
#include "store/store.h"

namespace dropscore::event {

/// One whole comparison of inputs with results: calls `visit` for each input without one, until it returns false.
/// Called on one thread at a time. Errors: `try_later`.
using FindPending = std::function<Status(const std::function<bool(const store::BlobInfo&)>& visit)>;

struct StoreSweepOptions {
  std::chrono::milliseconds interval{
      500};  ///< first pause; grows so that a sweep takes at most a twentieth of the time
  Status validate() const;
};

/// An inbox that sweeps and, with notify(), hears of blobs from elsewhere (a webhook): what it was told of is delivered
/// at once. `attempt` is counted in memory; a version that was acknowledged is not found again.
class SweepInbox : public Inbox {
 public:
  /// `trace` is that of whoever tells. Thread-safe; returns at once.
  virtual void notify(const std::string& blob, const telemetry::TraceContext& trace = {}) = 0;
};

/// Errors: `misuse`.
Result<std::unique_ptr<SweepInbox>> open_sweep_inbox(FindPending find_pending, const StoreSweepOptions& options = {});

}  // namespace dropscore::event
