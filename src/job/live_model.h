// A model that is replaced as soon as another is published, while it is in use. docs/models.md
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "event/sweeper.h"
#include "job/model_slot.h"
#include "job/model_source.h"

namespace dropscore::job {

struct LiveModelOptions {
  std::chrono::milliseconds interval{10'000};  ///< between looks for another version; 0: only when told to look
  std::chrono::milliseconds wait_at_start{0};  ///< for a source that is away, or empty
};

/// Looks for new versions on a thread of its own. A document that cannot be used is refused and the model in use stays.
/// Thread-safe.
class LiveModel {
 public:
  /// Returns with a model. Errors: after the wait, those of ModelSource::fetch() and nothing_there(); at once those of
  /// parse_model(). REQUIRES: as whoever starts threads (base/stop.h).
  static Result<std::shared_ptr<LiveModel>> start(std::unique_ptr<ModelSource> source, const LiveModelOptions& options);
  LiveModel(const LiveModel&) = delete;
  LiveModel& operator=(const LiveModel&) = delete;
  /// Waits for the look under way.
  ~LiveModel();

  /// As ModelSlot.
  Scorer scorer() const { return slot_.scorer(); }
  std::shared_ptr<const model::Model> model() const { return slot_.model(); }

  /// Looks soon, whatever the interval, also at what was refused. Does not wait for it.
  void look_now();

  /// False where a look is still under way after that time, which a service that hangs may cause: then the process
  /// should end without another word.
  bool stop_within(std::chrono::milliseconds patience);

 private:
  LiveModel(std::unique_ptr<ModelSource> source, const LiveModelOptions& options, const ModelDocument& document,
            const std::shared_ptr<const model::Model>& model);
  void run();
  void look();
  void take(const ModelDocument& document);

  const std::unique_ptr<ModelSource> source_;
  const std::chrono::milliseconds interval_;
  ModelSlot slot_;

  // Of the looking thread.
  std::string settled_;     ///< tag of what was taken or refused: nothing to do while it stays
  std::string unfinished_;  ///< tag of what could not be used when it was first seen
  int failures_ = 0;        ///< looks in a row that found nothing out
  event::FaultLog faults_{"model_refresh_failed"};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool look_wanted_ = false;  // under mutex_
  bool stopping_ = false;     // under mutex_
  bool ended_ = false;        // under mutex_
  std::thread thread_;        // last: it uses the rest
};

/// What a file must have, and need not have any more, once `to` takes the place of `from`.
struct ColumnChanges {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> retyped;  ///< number to category, or back
  bool any() const { return !added.empty() || !removed.empty() || !retyped.empty(); }
};
ColumnChanges compare_columns(const model::Model& from, const model::Model& to);

}  // namespace dropscore::job
