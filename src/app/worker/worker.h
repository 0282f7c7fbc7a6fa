// Takes arrivals from an inbox and has each one scored, until stopped: the whole of the trigger's work, whatever raises
// the events. Threads of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "event/inbox.h"
#include "job/file_scorer.h"
#include "job/score_job.h"
#include "telemetry/trace.h"

namespace dropscore::app {

struct WorkerOptions {
  unsigned threads = 2;  ///< files scored at a time
  job::ScoreOptions score;
  bool rescore = false;  ///< a file is done again once another model is in use
  Status validate() const;
};

using job::FileScorerSource;

class Worker {
 public:
  /// Starts at once. Stores and inbox must outlive the worker.
  /// REQUIRES: options.validate() is ok.
  Worker(const job::Containers& stores, event::Inbox& inbox, FileScorerSource scorer, const WorkerOptions& options);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Stops.
  ~Worker();

  /// Takes nothing more, finishes what is under way, returns when it is done. Thread-safe; may be called twice.
  void stop();
  /// The same, but waits no longer than `patience`. False where work is still under way: then what was taken is given
  /// back to the inbox, and the process should end without another word, as after a power cut.
  bool stop_within(std::chrono::milliseconds patience);

 private:
  void run();
  void take_and_handle();
  void handle(const event::Envelope& envelope);
  void score(const event::Envelope& envelope, telemetry::Span& span);
  void handle_failure(const event::Envelope& envelope, const job::FileScorer& scorer, const Error& error);
  void give_up(const event::Envelope& envelope, const job::FileScorer& scorer, std::string_view why,
               const char* counted_as);
  bool is_done(const event::Envelope& envelope) const;
  void try_later(const event::Envelope& envelope);
  bool set_aside(const event::Envelope& envelope, const job::FileScorer& scorer, std::string_view why);

  job::Containers stores_;
  event::Inbox& inbox_;
  FileScorerSource scorer_;
  WorkerOptions options_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  unsigned running_ = 0;  ///< threads; under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace dropscore::app
