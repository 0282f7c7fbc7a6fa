// Whether the process is alive, and whether it is ready: questions that an orchestrator asks again and again. Alive: a
// restart would mend nothing. Ready: it should be sent work.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/metrics.h"

namespace dropscore::operations {

/// `detail` holds numbers and the program's own names: anybody may read it.
struct CheckResult {
  bool ok = false;
  std::string detail;
};
/// Asked by any thread, also by those that answer requests: it must not wait for anything.
using Check = std::function<CheckResult()>;

struct Report {
  bool ok = false;
  std::string json;  ///< {"status":"ready","checks":{"model":{"ok":true,"detail":"..."}}}
};

/// Thread-safe.
class Health {
 public:
  /// Not ready as long as there is no model, where `needs_model`; dropscore_ready says so as long as this lives.
  explicit Health(bool needs_model);

  /// What of the rest must be right for the process to be ready. `check` is asked as long as this lives, or until
  /// forget_parts(), which waits for its end.
  void needs(std::string name, Check check);
  void forget_parts();

  /// Starting is over: until now it was not ready.
  void started() { started_ = true; }
  /// It will stop: from now on it is not ready.
  void drain() { draining_ = true; }

  /// Every thread gets on. No fault of a service or a store makes this false: a restart would not mend it.
  Report live() const;
  Report ready() const;

 private:
  struct Part {
    std::string name;
    Check check;
  };

  bool needs_model_;
  std::atomic<bool> started_ = false;
  std::atomic<bool> draining_ = false;
  mutable std::mutex mutex_;
  std::vector<Part> parts_;
  std::optional<telemetry::OnScrape> gauge_;  // last: it asks ready()
};

}  // namespace dropscore::operations
