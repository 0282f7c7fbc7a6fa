// The operations listener of `serve`, `watch` and `up`, and what they tell about their health.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "app/cli/command.h"
#include "app/cli/journey.h"
#include "app/http/server.h"
#include "app/operations/health.h"

namespace dropscore::app {

struct OperationsOptions {
  std::string host = "127.0.0.1";
  std::optional<std::uint16_t> port;  ///< empty: no listener; 0: any free port

  void add_to(CLI::App& command);
};

/// Serves GET /metrics, /livez and /readyz, without a key, beside whatever else the process does, from its start to its
/// end. Null where no port was asked for. Errors: as http::Server::start().
Result<std::unique_ptr<http::Server>> start_operations(const OperationsOptions& options,
                                                       const std::shared_ptr<operations::Health>& health);

/// As long as it lives, readiness asks whether the journey's containers, and its queue, have answered lately. Both must
/// outlive it.
class JourneyChecks {
 public:
  JourneyChecks(operations::Health& health, const Journey& journey);
  ~JourneyChecks() { health_.forget_parts(); }
  JourneyChecks(const JourneyChecks&) = delete;
  JourneyChecks& operator=(const JourneyChecks&) = delete;

 private:
  operations::Health& health_;
};

/// After a stop signal: not ready from now on, and where `delay_s` is not 0, everything is still answered for so long,
/// so that whoever sends requests can notice. A second signal ends the process.
void begin_drain(operations::Health& health, std::uint64_t delay_s);

}  // namespace dropscore::app
