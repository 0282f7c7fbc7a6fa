// A thread that serves its share of the connections, and two that score what would hold it up.
#pragma once

#include <memory>

#include "app/http/connection.h"

namespace dropscore::http {

/// Thread-safe.
class Reactor {
 public:
  explicit Reactor(Shared& shared);
  /// REQUIRES: no connection is left.
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  void adopt(int socket, Admission admission);
  void close_idle_connections();
  void close_connections();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dropscore::http
