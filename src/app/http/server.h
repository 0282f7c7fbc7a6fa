// The HTTP front door: GET /health, POST /predict, and what adapters add. What it promises is in docs/formats/http.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "app/http/endpoint.h"
#include "app/http/options.h"
#include "base/result.h"
#include "job/scorer.h"

namespace dropscore::http {

/// Thread-safe. No write here raises SIGPIPE.
class Server {
 public:
  /// Listens, and answers from threads of its own once this returns. `scorer` is asked once for each request, by any
  /// of those threads at the same time as others, so that a model can be swapped while serving; it must not block.
  /// It may be empty: then there is no /predict, and /health says no more than that the server is up.
  /// Errors: `misuse` for options, endpoints, a host without an address, or one that reaches beyond this machine
  /// without keys and options.insecure_open; `try_later`: a port that is taken; `give_up`: an address that is not this
  /// machine's, a port that needs a right.
  static Result<std::unique_ptr<Server>> start(std::function<job::Scorer()> scorer, const ServerOptions& options,
                                               std::vector<Endpoint> endpoints = {});
  /// As stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  /// Whoever reaches this machine may ask: no key is wanted, and the address is not loopback.
  bool open_to_everybody() const;

  /// Takes no new connection or request, lets those under way end within options.drain_timeout_ms, cuts the others
  /// off, and returns once every thread has ended, but for those that an endpoint's answer still holds: false where
  /// there are any; what they use must then not be destroyed. May be called more than once. REQUIRES: not called by
  /// `scorer` or an endpoint.
  bool stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dropscore::http
