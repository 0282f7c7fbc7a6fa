#include "app/http/client_socket.h"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace dropscore::http {
namespace {

constexpr std::chrono::milliseconds linger_time{2000};

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

}  // namespace

ClientSocket::ClientSocket(EventLoop& loop, int socket, std::size_t max_input_bytes)
    : loop_(loop), socket_(socket), in_(max_input_bytes) {
  if (!loop_.watch(socket, *this)) socket_ = FileDescriptor();
}

void ClientSocket::Wait::await_suspend(std::coroutine_handle<> coroutine) const {
  socket.expired_ = false;
  if (socket.ready_for(wait_for)) {
    socket.loop_.resume_later(coroutine);
    return;
  }
  socket.waiting_ = coroutine;
  socket.waiting_for_ = wait_for;
  socket.deadline_ = until;
}

Io ClientSocket::Wait::await_resume() const noexcept {
  socket.deadline_ = Clock::time_point::max();
  if (socket.closed()) return Io::failed;
  return socket.expired_ ? Io::timed_out : Io::ok;
}

bool ClientSocket::ready_for(Waiting what) const {
  return (what == Waiting::for_input && may_read_) || (what == Waiting::for_output && may_write_);
}

void ClientSocket::on_events(std::uint32_t events) {
  constexpr std::uint32_t over = EPOLLHUP | EPOLLERR;
  if ((events & (EPOLLIN | EPOLLRDHUP | over)) != 0) may_read_ = true;
  if ((events & (EPOLLOUT | over)) != 0) may_write_ = true;
  if ((events & (EPOLLRDHUP | over)) != 0) ended_ = true;
  if (!ready_for(waiting_for_)) return;
  waiting_for_ = Waiting::no;
  std::exchange(waiting_, nullptr).resume();  // may end this socket
}

void ClientSocket::wake() {
  if (waiting_for_ == Waiting::no) return;
  waiting_for_ = Waiting::no;
  loop_.resume_later(std::exchange(waiting_, nullptr));
}

void ClientSocket::check_deadline(Clock::time_point now) {
  if (waiting_for_ == Waiting::no || now < deadline_) return;
  expired_ = true;
  wake();
}

Io ClientSocket::receive() {
  if (closed()) return Io::failed;
  if (!may_read_) return Io::must_wait;
  const std::span<char> room = in_.room();
  ssize_t count = -1;
  do {
    count = ::recv(socket_.get(), room.data(), room.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    if (!would_block(errno)) return Io::failed;
    may_read_ = false;
    return Io::must_wait;
  }
  if (count == 0) return Io::end;
  in_.commit(static_cast<std::size_t>(count));
  // Less than there was room for is all there was; more makes an event. But after the client's end there is none.
  if (static_cast<std::size_t>(count) < room.size() && !ended_) may_read_ = false;
  return Io::ok;
}

Io ClientSocket::send_some(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (closed()) return Io::failed;
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (would_block(errno)) {
      may_write_ = false;
      return Io::must_wait;
    } else if (errno != EINTR) {
      return Io::failed;
    }
  }
  return Io::ok;
}

Task<Io> ClientSocket::fill(Clock::time_point until) {
  for (;;) {
    const Io waited = co_await input(until);
    if (waited != Io::ok) co_return waited;
    const Io got = receive();
    if (got != Io::must_wait) co_return got;
  }
}

Task<Io> ClientSocket::send(std::string_view& bytes, std::chrono::milliseconds patience) {
  for (;;) {
    const Io sent = send_some(bytes);
    if (sent != Io::must_wait) co_return sent;
    const Io waited = co_await output(Clock::now() + patience);
    if (waited != Io::ok) co_return waited;
  }
}

bool ClientSocket::readable() const {
  int count = 0;
  return !closed() && ::ioctl(socket_.get(), FIONREAD, &count) == 0 && count > 0;
}

Task<void> ClientSocket::hang_up(bool unread_bytes) {
  if (closed()) co_return;
  unread_bytes = unread_bytes || !in_.empty() || readable();
  ::shutdown(socket_.get(), SHUT_WR);
  const Clock::time_point until = Clock::now() + linger_time;
  while (unread_bytes && Clock::now() < until) {
    in_.keep_last(0);
    const Io got = co_await fill(until);
    if (got != Io::ok) break;
  }
  close();
}

void ClientSocket::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void ClientSocket::close() {
  socket_ = FileDescriptor();
  wake();
}

}  // namespace dropscore::http
