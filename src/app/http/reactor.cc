#include "app/http/reactor.h"

#include <thread>
#include <utility>

#include "telemetry/heartbeat.h"

namespace dropscore::http {
namespace {

// How late a timeout may be noticed, and a line of the log written. One sweep over all connections costs less than a
// timer for each of their reads.
constexpr std::chrono::milliseconds sweep_period{50};
// A reactor that has not swept for so long never will: what it does at a time takes milliseconds.
constexpr std::chrono::minutes longest_silence{1};

}  // namespace

struct Reactor::State {
  State(Shared& shared, Workers& workers)
      : log(shared.options.records_requests), keys(shared.options.keys), surroundings{loop, workers, live,  ready,
                                                                                      log,  keys,    shared} {}

  void sweep(Clock::time_point now) {
    for (LiveConnection* const connection : live) connection->check_deadline(now);
    log.flush();
    pulse.beat();
  }

  template <class Action>
  void for_each_connection(Action action) {
    loop.post([this, action] {
      for (LiveConnection* const connection : live) action(*connection);
    });
  }

  std::unordered_set<LiveConnection*> live;
  ReadyAnswers ready;
  RequestLog log;
  telemetry::Pulse pulse{"reactor", longest_silence};
  KeyCheck keys;
  EventLoop loop{sweep_period, [this](Clock::time_point now) { sweep(now); }};
  Surroundings surroundings;
  std::thread thread;
};

Reactor::Reactor(Shared& shared, Workers& workers) : state_(std::make_unique<State>(shared, workers)) {
  state_->thread = std::thread([state = state_.get()] { state->loop.run(); });
}

Reactor::~Reactor() {
  state_->loop.stop();
  state_->thread.join();
}

void Reactor::adopt(int socket, Admission admission) {
  state_->loop.post([state = state_.get(), socket, admission] { serve(state->surroundings, socket, admission); });
}

void Reactor::close_idle_connections() {
  state_->for_each_connection([](LiveConnection& connection) { connection.close_if_idle(); });
}

void Reactor::close_connections() {
  state_->for_each_connection([](LiveConnection& connection) { connection.close(); });
}

}  // namespace dropscore::http
