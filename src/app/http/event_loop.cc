#include "app/http/event_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace dropscore::http {
namespace {

constexpr std::size_t events_at_once = 128;

FileDescriptor made(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return FileDescriptor(descriptor);
}

}  // namespace

EventLoop::EventLoop(std::chrono::milliseconds period, std::function<void(Clock::time_point)> on_tick)
    : epoll_(made(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_event_(made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      period_(period),
      on_tick_(std::move(on_tick)),
      next_tick_(Clock::now() + period) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // the count is never read: each write is an edge
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_event_.get(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void EventLoop::run() {
  for (;;) {
    wait();
    run_posted();
    run_turn();
    if (const Clock::time_point now = Clock::now(); now >= next_tick_) {
      next_tick_ = now + period_;
      on_tick_(now);
    }
    const std::lock_guard lock(mutex_);
    if (stopping_ && posted_.empty() && turn_.empty()) return;
  }
}

void EventLoop::stop() {
  post([this] {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  });
}

void EventLoop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;  // it is awake, or about to be
  }
  ::eventfd_write(wake_event_.get(), 1);
}

bool EventLoop::watch(int socket, Watcher& watcher) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watcher;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) == 0;
}

void EventLoop::wait() {
  int timeout_ms = 0;
  if (turn_.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_tick_ - Clock::now());
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, period_.count()));
  }
  std::array<epoll_event, events_at_once> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    if (event.data.ptr != nullptr) static_cast<Watcher*>(event.data.ptr)->on_events(event.events);
  }
}

void EventLoop::run_posted() {
  {
    const std::lock_guard lock(mutex_);
    std::swap(posted_, running_posted_);
  }
  for (const std::function<void()>& work : running_posted_) work();
  running_posted_.clear();
}

void EventLoop::run_turn() {
  std::swap(turn_, running_turn_);
  for (const std::coroutine_handle<> waiting : running_turn_) waiting.resume();
  running_turn_.clear();
}

}  // namespace dropscore::http
