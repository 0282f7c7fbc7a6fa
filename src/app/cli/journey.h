// The journey put together: two containers, the inbox that hears of new blobs, the worker. What `watch` and `up` start.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/cli/container.h"
#include "app/webhook/webhook_endpoint.h"
#include "app/worker/worker.h"
#include "base/result.h"
#include "event/inbox.h"
#include "event/queue_gauges.h"
#include "net/http_client.h"

namespace dropscore::app {

/// What tells that a blob arrived, besides a sweep, which always looks for what nothing told of.
enum class Trigger : std::uint8_t {
  automatic,  ///< a folder's file events; a container's queue where one is named, else sweeps alone
  sweep,
  queue,
};

struct JourneyOptions {
  std::string input;   ///< a folder or a container's URL
  std::string output;  ///< likewise
  Trigger trigger = Trigger::automatic;
  std::string queue;                                        ///< name or URL; empty: none
  std::chrono::seconds visibility{60};                      ///< of a queue's messages
  std::optional<std::chrono::milliseconds> sweep_interval;  ///< empty: by what is swept
  std::chrono::milliseconds drain_time{25'000};             ///< that stop() gives to files under way
  bool rescore = false;  ///< a sweep also takes files whose result another model made
  WorkerOptions worker;
};

/// Owns the containers, the inbox and the worker, in the order in which they must end. Thread-safe.
class Journey {
 public:
  /// Makes missing folders, containers and the queue, and hears of files from then on; none is taken before begin().
  /// Errors: `misuse` (equal or nested folders, not a folder, no permission or credential), `try_later` (a service
  /// cannot be reached). REQUIRES: block_stop_signals() was called.
  static Result<std::unique_ptr<Journey>> open(const JourneyOptions& options, const FileScorerSource& scorer,
                                               const std::shared_ptr<net::HttpClient>& client);

  /// Files are scored from now on. REQUIRES: not called before.
  void begin();

  /// Finishes the files under way. False where they took longer than the drain time: they were given back, and the
  /// process should end without another word. REQUIRES: begin() was called.
  bool stop();

  /// How else the journey can be told of a blob: by a webhook. Empty where the inbox has no use for it. Valid as long
  /// as the journey is.
  const webhook::Notify& notify() const { return notify_; }
  const Container& input() const { return input_; }

  // How it does.
  std::optional<event::SweepState> sweeps() const { return inbox_->sweeps(); }
  const event::QueueGauges* queue() const { return gauges_.get(); }  ///< null where there is none

 private:
  Journey() = default;
  Result<std::optional<std::string>> wanted_model(const FileScorerSource& scorer);
  Status open_inbox(const JourneyOptions& options, const FileScorerSource& scorer,
                    const std::shared_ptr<net::HttpClient>& client);

  std::shared_ptr<net::HttpClient> client_;
  Container input_;
  Container output_;
  std::unique_ptr<event::QueueGauges> gauges_;
  std::unique_ptr<event::Inbox> inbox_;
  std::atomic<event::Inbox*> opened_inbox_ = nullptr;  ///< the same, for the sweeps, which begin before it is there
  std::string swept_for_;                              ///< the model whose results sweeps look for; theirs alone
  webhook::Notify notify_;
  FileScorerSource scorer_;
  WorkerOptions worker_options_;
  std::unique_ptr<Worker> worker_;  ///< null before begin()
  std::chrono::milliseconds drain_time_{};
};

}  // namespace dropscore::app
