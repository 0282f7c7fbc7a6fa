#include "event/store_sweep.h"

#include <string>
#include <unordered_set>
#include <utility>

#include "event/arrivals.h"
#include "event/sweeper.h"
#include "telemetry/metrics.h"

namespace dropscore::event {
namespace {

using std::chrono::milliseconds;

class StoreSweepInbox final : public SweepInbox {
 public:
  StoreSweepInbox(FindPending find_pending, const StoreSweepOptions& options)
      : find_pending_(std::move(find_pending)),
        sweeper_(options.interval, [this](Sweeper::Clock::time_point start) { return sweep(start); }) {
    sweeper_.start();
  }

  Result<std::optional<Envelope>> take(milliseconds wait) override { return arrivals_.take(wait); }
  Status acknowledge(const Envelope& envelope) override { return arrivals_.acknowledge(envelope); }
  Status retry(const Envelope& envelope, milliseconds delay) override { return arrivals_.retry(envelope, delay); }
  void notify(const std::string& blob, const telemetry::TraceContext& trace = {}) override {
    arrivals_.arrived(blob, trace);
  }

  void forget_done() override { arrivals_.forget_done(); }
  std::optional<SweepState> sweeps() const override { return sweeper_.state(); }

  void stop() override {
    sweeper_.stop();
    arrivals_.stop();
  }

 private:
  Status sweep(Sweeper::Clock::time_point start) {
    std::unordered_set<std::string> seen;
    DROPSCORE_CHECK(find_pending_([&](const store::BlobInfo& info) {
      seen.insert(info.name);
      arrivals_.found(info.name, info.etag, start);
      return !sweeper_.stopping();
    }));
    // A blob that a whole sweep did not find has its result by now, or is gone: no need to remember that it was done.
    if (!sweeper_.stopping()) arrivals_.forget_others(seen, start);
    return {};
  }

  const FindPending find_pending_;
  Arrivals arrivals_;
  Sweeper sweeper_;  // its thread ends before the rest goes
  const telemetry::OnScrape gauge_{
      [this] { telemetry::set(telemetry::Metric::files_waiting, static_cast<double>(arrivals_.waiting_count())); }};
};

}  // namespace

Status StoreSweepOptions::validate() const { return validate_sweep_interval(interval); }

Result<std::unique_ptr<SweepInbox>> open_sweep_inbox(FindPending find_pending, const StoreSweepOptions& options) {
  DROPSCORE_CHECK(options.validate());
  return std::make_unique<StoreSweepInbox>(std::move(find_pending), options);
}

}  // namespace dropscore::event
