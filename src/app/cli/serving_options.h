// The options of the HTTP API and of the trigger, which `serve`, `watch` and `up` share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/cli/journey.h"
#include "app/cli/model_options.h"
#include "app/cli/score_options.h"
#include "app/http/server.h"
#include "base/processors.h"

namespace dropscore::app {

inline void add_server_options(CLI::App& command, http::ServerOptions& options) {
  add_option(command, "--host", options.host, "Address to listen on")->type_name("ADDRESS");
  add_option(command, "--port", options.port, "Port to listen on; 0 picks a free one")->check(CLI::Range(0, 65535));
  options.threads = 0;
  add_option(command, "--http-threads", options.threads,
             "Threads that answer requests; 0: one for each processor, from 2 to 8")
      ->check(CLI::Range(0, 256));
}

/// Of --workers and --http-threads: `wanted`, or where that is 0 as many as there are processors, but no fewer than 2,
/// so that one large file or body does not hold up all others, and no more than 8, each of which takes memory.
unsigned side_by_side(unsigned wanted, unsigned available = processors());

inline void add_stop_delay(CLI::App& command, std::uint64_t& seconds) {
  add_option(command, "--stop-delay-s", seconds,
             "On a stop signal, /readyz says 503 and everything else is answered for this long first, so that a load "
             "balancer sends no more")
      ->check(CLI::Range(0, 3600));
}

struct TriggerArguments {
  std::string trigger = "auto";
  std::uint64_t sweep_interval_ms = 0;
  std::uint64_t visibility_s = 60;
  std::uint64_t drain_s = 25;
  JourneyOptions journey;

  void add_to(CLI::App& command) {
    add_option(command, "--trigger", trigger,
               "auto: file events of a folder, the queue of a container where --queue names one, and sweeps; queue; "
               "sweep: sweeps only (network drives)")
        ->check(CLI::IsMember({"auto", "sweep", "queue"}));
    add_option(command, "--queue", journey.queue,
               "Storage queue that Event Grid tells of new blobs: a name in the input's account, or a URL")
        ->type_name("NAME|URL");
    add_option(command, "--visibility-s", visibility_s,
               "A queue's message stays hidden for this long once its worker has died")
        ->check(CLI::Range(1, 604'800));
    add_option(command, "--sweep-interval-ms", sweep_interval_ms,
               "Pause between sweeps for files that no event told of; 0: 500 for a container, 2000 for a folder, "
               "10000 beside a queue; longer where sweeps are slow")
        ->check(CLI::Range(0, 86'400'000));
    add_flag(command, "--rescore", journey.rescore, "Also take files whose result was made by another model");
    journey.worker.threads = 0;
    add_option(command, "--workers", journey.worker.threads,
               "Files scored at a time; 0: one for each processor, from 2 to 8")
        ->check(CLI::Range(0, 256));
    add_option(command, "--drain-s", drain_s,
               "On a stop signal, files under way have this long; then they are given back")
        ->check(CLI::Range(0, 86'400));
  }

  void finish(const job::ScoreOptions& score) {
    journey.trigger = trigger == "queue" ? Trigger::queue : trigger == "sweep" ? Trigger::sweep : Trigger::automatic;
    if (sweep_interval_ms > 0) journey.sweep_interval = std::chrono::milliseconds(sweep_interval_ms);
    journey.visibility = std::chrono::seconds(visibility_s);
    journey.drain_time = std::chrono::seconds(drain_s);
    journey.worker.threads = side_by_side(journey.worker.threads);
    journey.worker.score = score;
  }
};

/// Stops the journey; ends the process where files are still under way after the drain time.
void stop_or_leave(Journey& journey);

}  // namespace dropscore::app
