// The local journey put together: two folders, the inbox between them, the worker. What `watch` and `up` start.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/worker/worker.h"
#include "base/result.h"
#include "event/local_inbox.h"
#include "job/scorer.h"
#include "store/store.h"

namespace dropscore::app {

struct JourneyOptions {
  std::filesystem::path input;
  std::filesystem::path output;
  bool rescore = false;  ///< a sweep also takes files whose result another model made
  event::LocalInboxOptions inbox;
  WorkerOptions worker;
};

/// Owns the stores, the inbox and the worker, in the order in which they must end. Thread-safe.
class Journey {
 public:
  /// Makes missing folders. Errors: `misuse` (equal or nested folders, not a folder, no permission).
  static Result<std::unique_ptr<Journey>> start(const JourneyOptions& options, FileScorerSource scorer);
  /// Finishes the files under way and returns.
  void stop() { worker_->stop(); }

 private:
  Journey() = default;
  std::unique_ptr<store::BlobStore> input_;
  std::unique_ptr<store::BlobStore> output_;
  std::unique_ptr<event::Inbox> inbox_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace dropscore::app
