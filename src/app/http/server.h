// The HTTP front door: GET /health and POST /predict. What it promises is in docs/formats/http.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "app/http/options.h"
#include "base/result.h"
#include "job/scorer.h"

namespace dropscore::http {

/// Thread-safe. No write here raises SIGPIPE.
class Server {
 public:
  /// Listens, and answers from threads of its own once this returns. `scorer` is asked once for each request, by any
  /// of those threads at the same time as others, so that a model can be swapped while serving; it must not block.
  /// Errors: `misuse` for options, an address that is not this machine's, or a port that is taken.
  static Result<std::unique_ptr<Server>> start(std::function<job::Scorer()> scorer, const ServerOptions& options);
  /// As stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;

  /// Takes no new connection or request, lets those under way end within options.drain_timeout_ms, cuts the others
  /// off, and returns once every thread has ended. May be called more than once. REQUIRES: not called by `scorer`.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dropscore::http
