#include "app/cli/operations.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "app/operations/endpoints.h"
#include "base/log.h"

namespace dropscore::app {
namespace {

using Clock = std::chrono::steady_clock;

/// What has not answered for so long is not there: no look at a queue or a folder takes nearly as long, and no service
/// is upgraded as fast.
constexpr std::chrono::minutes patience{2};

operations::CheckResult answered(Clock::time_point last, Clock::duration allowed) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const Clock::duration since = Clock::now() - last;
  return {since <= allowed,
          fmt::format("answered {} s ago, at most {} s are well", duration_cast<seconds>(since).count(),
                      duration_cast<seconds>(allowed).count())};
}

}  // namespace

void OperationsOptions::add_to(CLI::App& command) {
  command
      .add_option("--ops-port", port,
                  "Also answer GET /metrics, /livez and /readyz on this port, without a key; 0 picks a free one")
      ->envname(environment_name("--ops-port"))
      ->check(CLI::Range(0, 65535));
  add_option(command, "--ops-host", host, "Address for --ops-port; not one that the outside world reaches")
      ->type_name("ADDRESS");
}

Result<std::unique_ptr<http::Server>> start_operations(const OperationsOptions& options,
                                                       const std::shared_ptr<operations::Health>& health) {
  if (!options.port) return nullptr;
  http::ServerOptions server;
  server.host = options.host;
  server.port = *options.port;
  server.threads = 1;
  server.endpoint_threads = 2;
  server.max_connections = 64;
  server.drain_timeout_ms = 1000;
  server.records_requests = false;
  server.insecure_open = true;  // numbers and names; where they may be read from is the network's to say
  DROPSCORE_TRY(std::unique_ptr<http::Server> started,
                http::Server::start({}, server, operations::operations_endpoints(health)));
  log::info("operations", {{"host", options.host}, {"port", started->port()}});
  return started;
}

JourneyChecks::JourneyChecks(operations::Health& health, const Journey& journey) : health_(health) {
  health.needs("containers", [&journey] {
    const std::optional<event::SweepState> sweeps = journey.sweeps();
    if (!sweeps) return operations::CheckResult{true, "not swept"};
    return answered(sweeps->last_done, std::max<Clock::duration>(patience, 3 * sweeps->expected_every));
  });
  if (!journey.queue()) return;
  health.needs("queue", [&journey] { return answered(journey.queue()->last_answer(), patience); });
}

void begin_drain(operations::Health& health, std::uint64_t delay_s) {
  health.drain();
  std::this_thread::sleep_for(std::chrono::seconds(delay_s));
}

}  // namespace dropscore::app
