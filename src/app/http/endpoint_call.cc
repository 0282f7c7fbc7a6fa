#include "app/http/endpoint_call.h"

#include <exception>
#include <thread>
#include <utility>

#include "base/log.h"
#include "telemetry/trace.h"

namespace dropscore::http {

void EndpointCall::run() {
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
  }
  const telemetry::InSpan in(trace_);
  EndpointReply reply;
  try {
    reply = endpoint_->answer({*parser_, body_});
  } catch (const std::exception& e) {  // out of memory, say: one request's end, not the server's
    log::error("endpoint_failed", {{"path", endpoint_->path}, {"error", e.what()}});
    reply = {.status = 500,
             .content_type = std::string(problem_type),
             .body = problem_json({.status = 500, .detail = "the request could not be answered", .errors_json = {}}),
             .headers = {}};
  }
  const std::lock_guard lock(mutex_);
  reply_ = std::move(reply);
  answered_ = true;
  end();
}

void EndpointCall::when_over(std::function<void()> resume) {
  const std::lock_guard lock(mutex_);
  resume_ = std::move(resume);
  if (over_) std::exchange(resume_, nullptr)();
}

void EndpointCall::give_up() {
  const std::lock_guard lock(mutex_);
  end();
}

/// REQUIRES: mutex_ is held.
void EndpointCall::end() {
  over_ = true;
  if (resume_) std::exchange(resume_, nullptr)();
}

bool EndpointCall::take_reply(EndpointReply& reply) {
  const std::lock_guard lock(mutex_);
  if (answered_) reply = std::move(reply_);
  return answered_;
}

struct EndpointThreads::State {
  void work();

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<EndpointCall>> waiting;
  unsigned most = 0;
  unsigned threads = 0;
  unsigned busy = 0;
  bool ending = false;
};

void EndpointThreads::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return ending || !waiting.empty(); });
    if (ending) break;
    std::shared_ptr<EndpointCall> call = std::move(waiting.front());
    waiting.pop_front();
    ++busy;
    lock.unlock();
    call->run();
    call.reset();
    lock.lock();
    --busy;
  }
  --threads;
  changed.notify_all();
}

EndpointThreads::EndpointThreads(unsigned most) : state_(std::make_shared<State>()) { state_->most = most; }

EndpointThreads::~EndpointThreads() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->waiting.clear();
  state_->changed.notify_all();
  state_->changed.wait(lock, [this] { return state_->threads == state_->busy; });
}

void EndpointThreads::run(std::shared_ptr<EndpointCall> call) {
  const std::lock_guard lock(state_->mutex);
  state_->waiting.push_back(std::move(call));
  const unsigned idle = state_->threads - state_->busy;
  if (idle < state_->waiting.size() && state_->threads < state_->most) {
    std::thread([state = state_] { state->work(); }).detach();
    ++state_->threads;
  }
  state_->changed.notify_one();
}

unsigned EndpointThreads::busy() const {
  const std::lock_guard lock(state_->mutex);
  return state_->busy;
}

}  // namespace dropscore::http
