#include "app/http/server.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <unistd.h>

#include "app/http/listener.h"
#include "app/http/reactor.h"
#include "app/http/request_log.h"
#include "base/log.h"
#include "telemetry/metrics.h"

namespace dropscore::http {
namespace {

using telemetry::Metric;

// Connections over the limit are told so, as long as there are not too many of those either; then one is closed, and
// the others wait to be taken.
constexpr std::size_t max_turned_away = 256;

}  // namespace

struct Server::State {
  State(const ServerOptions& options, Routes routes, std::function<job::Scorer()> scorer)
      : shared(options, std::move(routes), std::move(scorer)), workers(2 * options.threads) {}
  bool distribute(int socket);
  void read_gauges() const;
  void turned_away() const {
    if (shared.options.records_requests) telemetry::add(Metric::http_turned_away, 1, {"connections"});
  }

  Shared shared;
  Workers workers;  // two for each reactor, so that one huge JSON body does not hold up every CSV
  std::uint16_t port = 0;
  bool loopback = true;
  std::vector<std::unique_ptr<Reactor>> reactors;
  std::size_t next_reactor = 0;  // of the listener's thread
  std::unique_ptr<Listener> listener;
  std::mutex stopping;
  std::optional<telemetry::OnScrape> gauges;  // last: a scrape looks at the rest
};

void Server::State::read_gauges() const {
  telemetry::set(Metric::http_connections, static_cast<double>(shared.connections.count()));
  telemetry::set(Metric::http_waiting_bodies, static_cast<double>(workers.waiting()));
  telemetry::set(Metric::http_buffered_bytes, static_cast<double>(shared.buffered_body_bytes));
  telemetry::set(Metric::http_spooled_bytes, static_cast<double>(shared.spooled_bytes));
}

bool Server::State::distribute(int socket) {
  const std::size_t count = shared.connections.add();
  if (count > shared.options.max_connections + max_turned_away) {
    shared.connections.remove();
    ::close(socket);
    turned_away();
    return false;
  }
  const bool admitted = count <= shared.options.max_connections;
  if (!admitted) turned_away();
  reactors[next_reactor]->adopt(socket, admitted ? Admission::admitted : Admission::turned_away);
  next_reactor = (next_reactor + 1) % reactors.size();
  return true;
}

Result<std::unique_ptr<Server>> Server::start(std::function<job::Scorer()> scorer, const ServerOptions& options,
                                              std::vector<Endpoint> endpoints) {
  DROPSCORE_CHECK(options.validate());
  DROPSCORE_TRY(Routes routes, Routes::make(scorer != nullptr, std::move(endpoints), options));
  const Reach reach = options.keys || options.insecure_open ? Reach::everybody : Reach::this_machine;
  DROPSCORE_TRY(Listening listening, listen_on(options.host, options.port, reach));
  auto state = std::make_unique<State>(options, std::move(routes), std::move(scorer));
  state->port = listening.port;
  state->loopback = listening.loopback;
  if (options.records_requests) {
    expose_request_metrics(state->shared.scorer != nullptr);
    state->gauges.emplace([at = state.get()] { at->read_gauges(); });
  }
  for (unsigned i = 0; i < options.threads; ++i)
    state->reactors.push_back(std::make_unique<Reactor>(state->shared, state->workers));
  state->listener = std::make_unique<Listener>(std::move(listening.socket),
                                               [at = state.get()](int socket) { return at->distribute(socket); });
  log::debug("listening", {{"host", options.host}, {"port", state->port}, {"threads", options.threads}});
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { stop(); }

std::uint16_t Server::port() const { return state_->port; }
bool Server::open_to_everybody() const { return !state_->shared.options.keys && !state_->loopback; }

bool Server::stop() {
  State& state = *state_;
  const std::lock_guard lock(state.stopping);
  if (state.reactors.empty()) return state.shared.endpoint_threads.busy() == 0;
  state.listener->stop();
  state.shared.draining = true;
  for (const auto& reactor : state.reactors) reactor->close_idle_connections();
  const auto until = Clock::now() + std::chrono::milliseconds(state.shared.options.drain_timeout_ms);
  if (!state.shared.connections.wait_for_none(until)) {
    log::warning("drain_timed_out", {{"after_ms", state.shared.options.drain_timeout_ms}});
    for (const auto& reactor : state.reactors) reactor->close_connections();
    state.shared.connections.wait_for_none(std::nullopt);
  }
  state.workers.finish();  // one may still be about to tell its reactor that it is done
  state.reactors.clear();
  const unsigned busy = state.shared.endpoint_threads.busy();
  if (busy > 0) log::warning("calls_left_to_themselves", {{"calls", busy}});
  log::debug("stopped", {{"port", state.port}});
  return busy == 0;
}

}  // namespace dropscore::http
