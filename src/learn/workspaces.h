// As many SMO workspaces as fits run at once, each used by one after another. Private to the room.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "learn/smo.h"

namespace dropscore::learn {

/// Thread-safe.
class Workspaces {
 public:
  /// A workspace for as long as this lives.
  class Loan {
   public:
    explicit Loan(Workspaces& owner) : owner_(owner), workspace_(owner.take()) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { owner_.give_back(std::move(workspace_)); }
    SmoWorkspace& operator*() const { return *workspace_; }

   private:
    Workspaces& owner_;
    std::unique_ptr<SmoWorkspace> workspace_;
  };

 private:
  std::unique_ptr<SmoWorkspace> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<SmoWorkspace>();
    std::unique_ptr<SmoWorkspace> workspace = std::move(idle_.back());
    idle_.pop_back();
    return workspace;
  }
  void give_back(std::unique_ptr<SmoWorkspace> workspace) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(workspace));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<SmoWorkspace>> idle_;
};

}  // namespace dropscore::learn
