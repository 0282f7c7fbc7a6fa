#include "app/http/listener.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

namespace dropscore::http {
namespace {

constexpr std::chrono::milliseconds pause_when_full{50};

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::string error_text(int error_number) {
  std::array<char, 128> buffer{};
  return strerror_r(error_number, buffer.data(), buffer.size());
}

void set_flag(int socket, int level, int name) {
  const int on = 1;
  setsockopt(socket, level, name, &on, sizeof on);
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  in_port_t port = 0;
  if (address.ss_family == AF_INET6) {
    port = reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port;
  } else {
    port = reinterpret_cast<const sockaddr_in*>(&address)->sin_port;
  }
  return ntohs(port);
}

/// 127.0.0.0/8, ::1, and the former as an IPv6 address.
bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return (ntohl(v4.s_addr) >> 24U) == 127U;
  }
  if (address.sa_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

}  // namespace

Result<Listening> listen_on(const std::string& host, std::uint16_t port, Reach reach) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); failed != 0) {
    return fail(ErrorKind::misuse, fmt::format("cannot listen on {}: {}", host, gai_strerror(failed)));
  }
  const Addresses addresses(found, &freeaddrinfo);
  const addrinfo& address = *addresses;
  const bool loopback = is_loopback(*address.ai_addr);
  if (reach == Reach::this_machine && !loopback) {
    return fail(ErrorKind::misuse,
                fmt::format("anybody who reaches {} could ask: set DROPSCORE_API_KEY to a key that clients must send "
                            "(openssl rand -hex 24 makes one), or listen on 127.0.0.1, or say --insecure-open",
                            host));
  }
  FileDescriptor socket(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  // Not SO_REUSEPORT: a second server on the same port must fail, not take half of the first one's customers.
  set_flag(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (!socket.valid() || ::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    // Whoever has the port may leave it.
    const ErrorKind kind = errno == EADDRINUSE ? ErrorKind::try_later : ErrorKind::give_up;
    return fail(kind, fmt::format("cannot listen on {}:{}: {}", host, port, error_text(errno)));
  }
  const std::uint16_t bound = port_of(socket.get());
  return Listening{std::move(socket), bound, loopback};
}

Listener::Listener(FileDescriptor listening, std::function<bool(int)> on_connection)
    : listening_(std::move(listening)),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      on_connection_(std::move(on_connection)),
      thread_([this] { run(); }) {}

void Listener::stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_event_.get(), 1);
  thread_.join();
  listening_ = FileDescriptor();
}

void Listener::run() {
  std::array<pollfd, 2> waiting{pollfd{listening_.get(), POLLIN, 0}, pollfd{stop_event_.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
      log::error("accept_failed", {{"error", error_text(errno)}});
      return;
    }
    if (waiting[1].revents != 0) return;
    if (waiting[0].revents != 0) accept_waiting();
  }
}

void Listener::accept_waiting() {
  // A few at a time, so that a flood of connections does not keep stop() waiting.
  for (int i = 0; i < 64; ++i) {
    const int socket = ::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      set_flag(socket, IPPROTO_TCP, TCP_NODELAY);
      if (on_connection_(socket)) continue;
      std::this_thread::sleep_for(pause_when_full);
      return;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log::warning("accept_failed", {{"error", error_text(errno)}});
      std::this_thread::sleep_for(pause_when_full);
    }
    return;  // EAGAIN: none left; others: that one connection is gone
  }
}

}  // namespace dropscore::http
