#include "event/local_inbox.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "event/arrivals.h"
#include "event/folder_watch.h"
#include "event/sweeper.h"
#include "event/writer_check.h"
#include "telemetry/metrics.h"

namespace dropscore::event {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds idle_wait{500};
constexpr milliseconds first_recheck{1};
constexpr milliseconds last_recheck{512};

/// Files whose close event came while the kernel still counted a writer. The event is sent just before the count goes
/// down, so the one who closed may be all there is: ask again soon, a few times. Whoever else is writing will close it,
/// too, and that is another event.
class Rechecks {
 public:
  void add(const std::string& name) { files_[name] = {Clock::now() + first_recheck, first_recheck}; }
  void drop(const std::string& name) { files_.erase(name); }

  milliseconds time_to_next() const {
    Clock::time_point next = Clock::now() + idle_wait;
    for (const auto& [name, file] : files_) next = std::min(next, file.due);
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - Clock::now()));
  }

  /// Calls `is_settled` for each file that is due, and forgets those for which it is true or that were asked enough.
  template <class IsSettled>
  void run(const IsSettled& is_settled) {
    const Clock::time_point now = Clock::now();
    for (auto at = files_.begin(); at != files_.end();) {
      auto& [name, file] = *at;
      bool done = false;
      if (file.due <= now) {
        file.pause *= 2;
        file.due = now + file.pause;
        done = is_settled(name) || file.pause > last_recheck;
      }
      at = done ? files_.erase(at) : std::next(at);
    }
  }

 private:
  struct File {
    Clock::time_point due;
    milliseconds pause;
  };
  std::map<std::string, File> files_;
};

class LocalInbox : public Inbox {
 public:
  LocalInbox(std::filesystem::path folder, store::BlobStore& input, IsPending is_pending, LocalInboxOptions options)
      : folder_(std::move(folder)),
        input_(input),
        is_pending_(std::move(is_pending)),
        watch_(folder_, {[this](const std::string& name) { on_file(name); }, [this] { sweeper_.sweep_soon(); }}),
        // Apart from the watcher's thread, since the ETag of a large new file takes long to hash.
        sweeper_(options.sweep_interval, [this](Clock::time_point start) { return sweep(start); }) {
    // The watches come first: what arrives before them is there for the first sweep to see, the rest has an event.
    if (options.use_inotify) {
      watch_.start();
      watcher_ = std::thread([this] { watch(); });
    }
    sweeper_.start();
  }

  ~LocalInbox() override {
    LocalInbox::stop();
    if (watcher_.joinable()) watcher_.join();
  }

  Result<std::optional<Envelope>> take(milliseconds wait) override { return arrivals_.take(wait); }
  Status acknowledge(const Envelope& envelope) override { return arrivals_.acknowledge(envelope); }
  Status retry(const Envelope& envelope, milliseconds delay) override { return arrivals_.retry(envelope, delay); }

  void forget_done() override { arrivals_.forget_done(); }
  std::optional<SweepState> sweeps() const override { return sweeper_.state(); }

  void stop() override {
    sweeper_.stop();
    watch_.wake();
    arrivals_.stop();
  }

 private:
  // The watcher's thread.

  void watch() {
    while (!sweeper_.stopping()) {
      watch_.run_once(rechecks_.time_to_next());
      rechecks_.run([this](const std::string& name) { return deliver_if_closed(name); });
    }
  }

  void on_file(const std::string& name) {
    if (deliver_if_closed(name)) {
      rechecks_.drop(name);
    } else {
      rechecks_.add(name);
    }
  }

  /// False where a writer has it open.
  bool deliver_if_closed(const std::string& name) {
    switch (look_for_writer(folder_ / name)) {
      case Writer::present: return false;
      case Writer::no_file: return true;
      case Writer::unknown:  // the event itself says that a writer closed it, or that it was put there whole
      case Writer::none: arrivals_.arrived(name); return true;
    }
    return true;
  }

  // The sweeper's thread.

  Status sweep(Clock::time_point start) {
    std::unordered_set<std::string> seen;
    Status first_fault;
    Status listed = input_.list([&](const store::BlobInfo& info) {
      seen.insert(info.name);
      Status considered = consider(info, start);
      if (first_fault && !considered) first_fault = std::move(considered);
      return !sweeper_.stopping();
    });
    if (sweeper_.stopping()) return {};
    DROPSCORE_CHECK(std::move(listed));
    arrivals_.forget_others(seen, start);
    quiet_files_.forget_before(start);
    return first_fault;
  }

  Status consider(const store::BlobInfo& info, Clock::time_point sweep_start) {
    if (arrivals_.is_known(info.name)) return {};
    DROPSCORE_TRY(const bool pending, is_pending_(info));
    if (pending && !is_written_to(info.name)) arrivals_.found(info.name, info.etag, sweep_start);
    return {};
  }

  bool is_written_to(const std::string& name) {
    switch (look_for_writer(folder_ / name)) {
      case Writer::none: return false;
      case Writer::unknown: return !quiet_files_.is_quiet(folder_ / name, Clock::now());
      case Writer::present:
      case Writer::no_file: return true;
    }
    return true;
  }

  const std::filesystem::path folder_;
  store::BlobStore& input_;
  const IsPending is_pending_;
  Arrivals arrivals_;

  FolderWatch watch_;       // the watcher's
  Rechecks rechecks_;       // the watcher's
  QuietFiles quiet_files_;  // the sweeper's

  std::thread watcher_;
  Sweeper sweeper_;  // its thread ends before the rest goes
  const telemetry::OnScrape gauge_{
      [this] { telemetry::set(telemetry::Metric::files_waiting, static_cast<double>(arrivals_.waiting_count())); }};
};

}  // namespace

Status LocalInboxOptions::validate() const { return validate_sweep_interval(sweep_interval); }

Result<std::unique_ptr<Inbox>> open_local_inbox(const std::filesystem::path& folder, store::BlobStore& input,
                                                IsPending is_pending, const LocalInboxOptions& options) {
  DROPSCORE_CHECK(options.validate());
  std::error_code failed;
  std::filesystem::path root = std::filesystem::absolute(folder, failed).lexically_normal();
  if (failed || !std::filesystem::is_directory(root, failed)) {
    return fail(ErrorKind::misuse, CustomerText{"the input folder cannot be used"},
                OperatorText{root.string() + " is not a folder"});
  }
  return std::make_unique<LocalInbox>(std::move(root), input, std::move(is_pending), options);
}

}  // namespace dropscore::event
