// The options of the HTTP API and of the trigger, which `serve`, `watch` and `up` share.
#pragma once

#include "app/cli/journey.h"
#include "app/cli/score_options.h"
#include "app/http/server.h"

namespace dropscore::app {

inline void add_server_options(CLI::App& command, http::ServerOptions& options) {
  add_option(command, "--host", options.host, "Address to listen on");
  add_option(command, "--port", options.port, "Port to listen on; 0 picks a free one")->check(CLI::Range(0, 65535));
  add_option(command, "--http-threads", options.threads, "Threads that answer requests")->check(CLI::Range(1, 256));
}

struct TriggerArguments {
  std::string trigger = "auto";
  std::uint64_t sweep_interval_ms = 2000;
  JourneyOptions journey;

  void add_to(CLI::App& command) {
    add_option(command, "--trigger", trigger, "auto: file events and sweeps; sweep: sweeps only (network drives)")
        ->check(CLI::IsMember({"auto", "sweep", "queue"}));
    add_option(command, "--sweep-interval-ms", sweep_interval_ms,
               "Pause between sweeps for files that no event told of");
    add_flag(command, "--rescore", journey.rescore, "Also take files whose result was made by another model");
    add_option(command, "--workers", journey.worker.threads, "Files scored at a time")->check(CLI::Range(1, 256));
  }

  void finish(const job::ScoreOptions& score) {
    journey.inbox.use_inotify = trigger == "auto";
    journey.inbox.sweep_interval = std::chrono::milliseconds(sweep_interval_ms);
    journey.worker.score = score;
  }
};

}  // namespace dropscore::app
