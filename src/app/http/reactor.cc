#include "app/http/reactor.h"

#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

namespace dropscore::http {
namespace {

// How late a timeout may be noticed. One sweep over all connections costs less than a timer for each of their reads.
constexpr std::chrono::milliseconds sweep_period{50};

}  // namespace

struct Reactor::State {
  explicit State(Shared& shared) : surroundings{io, workers, live, shared} {}

  void sweep() {
    timer.expires_after(sweep_period);
    timer.async_wait([this](const boost::system::error_code& stopped) {
      // A timer that ran out just before it was cancelled comes here without an error.
      if (stopped || ended) return;
      const Clock::time_point now = Clock::now();
      for (LiveConnection* const connection : live) connection->check_deadline(now);
      sweep();
    });
  }

  template <class Action>
  void for_each_connection(Action action) {
    boost::asio::post(io, [this, action] {
      for (LiveConnection* const connection : live) action(*connection);
    });
  }

  // Destroyed from the last to the first: the coroutines that `io` still holds take themselves out of `live`.
  std::unordered_set<LiveConnection*> live;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  boost::asio::steady_timer timer{io};
  boost::asio::thread_pool workers{2};  // two, so that one huge JSON body does not hold up every CSV
  Surroundings surroundings;
  bool ended = false;  // touched by `io`'s thread alone
  std::thread thread;
};

Reactor::Reactor(Shared& shared) : state_(std::make_unique<State>(shared)) {
  state_->sweep();
  state_->thread = std::thread([state = state_.get()] { state->io.run(); });
}

Reactor::~Reactor() {
  state_->workers.join();
  boost::asio::post(state_->io, [state = state_.get()] {
    state->ended = true;
    state->timer.cancel();
    state->work.reset();
  });
  state_->thread.join();
}

void Reactor::adopt(int socket, Admission admission) {
  boost::asio::post(state_->io,
                    [state = state_.get(), socket, admission] { serve(state->surroundings, socket, admission); });
}

void Reactor::close_idle_connections() {
  state_->for_each_connection([](LiveConnection& connection) { connection.close_if_idle(); });
}

void Reactor::close_connections() {
  state_->for_each_connection([](LiveConnection& connection) { connection.close(); });
}

}  // namespace dropscore::http
