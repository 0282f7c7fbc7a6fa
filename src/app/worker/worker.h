// Takes arrivals from an inbox and has each one scored, until stopped: the whole of the trigger's work, whatever raises
// the events. Threads of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "event/inbox.h"
#include "job/score_job.h"
#include "job/scorer.h"

namespace dropscore::app {

struct WorkerOptions {
  unsigned threads = 2;  ///< files scored at a time
  job::ScoreOptions score;
  Status validate() const;
};

class Worker {
 public:
  /// Starts at once. `scorer` is asked once for each file, from any thread; stores and inbox must outlive the worker.
  /// REQUIRES: options.validate() is ok.
  Worker(const job::Containers& stores, event::Inbox& inbox, std::function<job::Scorer()> scorer,
         const WorkerOptions& options);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Stops.
  ~Worker();

  /// Takes nothing more, finishes what is under way, returns when it is done. Thread-safe; may be called twice.
  void stop();

 private:
  void run();
  void handle(const event::Envelope& envelope);
  void handle_failure(const event::Envelope& envelope, const job::Scorer& scorer, const Error& error);
  void give_up(const event::Envelope& envelope, const job::Scorer& scorer, std::string_view why);
  void set_aside(const event::Envelope& envelope, const job::Scorer& scorer, std::string_view why);

  job::Containers stores_;
  event::Inbox& inbox_;
  std::function<job::Scorer()> scorer_;
  WorkerOptions options_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dropscore::app
