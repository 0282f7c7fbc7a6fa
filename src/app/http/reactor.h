// A thread that serves its share of the connections.
#pragma once

#include <memory>

#include "app/http/connection.h"

namespace dropscore::http {

/// Thread-safe.
class Reactor {
 public:
  /// Both must outlive it.
  Reactor(Shared& shared, Workers& workers);
  /// REQUIRES: no connection is left, and no worker.
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
