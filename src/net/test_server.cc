#include "net/test_server.h"

#include <array>
#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace dropscore::net {

std::optional<std::string> TestRequest::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name.size() == name.size() && strncasecmp(header.name.data(), name.data(), name.size()) == 0) {
      return header.value;
    }
  }
  return std::nullopt;
}

bool TestConnection::fill() {
  std::array<char, (64 << 10)> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv() fills it
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> TestConnection::take(std::size_t bytes) {
  while (input_.size() < bytes) {
    if (!fill()) return std::nullopt;
  }
  std::string taken = input_.substr(0, bytes);
  input_.erase(0, bytes);
  return taken;
}

std::optional<std::string> TestConnection::take_line() {
  std::size_t end = 0;
  while ((end = input_.find("\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string line = input_.substr(0, end);
  input_.erase(0, end + 2);
  return line;
}

std::optional<TestRequest> TestConnection::read_head() {
  const std::optional<std::string> first = take_line();
  if (!first) return std::nullopt;
  TestRequest request;
  const std::size_t space = first->find(' ');
  request.method = first->substr(0, space);
  request.target = first->substr(space + 1, first->rfind(' ') - space - 1);
  for (;;) {
    const std::optional<std::string> line = take_line();
    if (!line) return std::nullopt;
    if (line->empty()) return request;
    const std::size_t colon = line->find(':');
    const std::size_t value = line->find_first_not_of(' ', colon + 1);
    request.headers.push_back({line->substr(0, colon), value == std::string::npos ? "" : line->substr(value)});
  }
}

std::string TestConnection::read_chunk() {
  const std::optional<std::string> size = take_line();
  if (!size) return {};
  const std::optional<std::string> chunk = take(std::strtoul(size->c_str(), nullptr, 16));
  take_line();
  return chunk.value_or("");
}

bool TestConnection::read_body(TestRequest& request) {
  if (request.is_chunked()) {
    for (std::string chunk = read_chunk(); !chunk.empty(); chunk = read_chunk()) request.body += chunk;
    return true;
  }
  const std::optional<std::string> body =
      take(std::strtoul(request.header("content-length").value_or("0").c_str(), nullptr, 10));
  request.body = body.value_or("");
  return body.has_value();
}

std::optional<TestRequest> TestConnection::read_request() {
  std::optional<TestRequest> request = read_head();
  if (request && !read_body(*request)) return std::nullopt;
  return request;
}

bool TestConnection::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void TestConnection::reset() {
  const std::lock_guard lock(mutex_);
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_ = FileDescriptor();
}

void TestConnection::shut_down() const {
  const std::lock_guard lock(mutex_);
  ::shutdown(socket_.get(), SHUT_RDWR);
}

TestServer::TestServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), any, &size) != 0) {
    throw std::runtime_error("no port for a test's server");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

TestServer::~TestServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const TestConnection& connection : connections_) connection.shut_down();
  }
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

void TestServer::accept_all() {
  for (;;) {
    FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid()) return;
    const int yes = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    TestConnection& connection =
        connections_.emplace_back(std::move(socket), static_cast<int>(connections_.size()) + 1);
    threads_.emplace_back([this, &connection] {
      script_(connection);
      connection.shut_down();
    });
  }
}

std::string TestServer::url(std::string_view path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

int TestServer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(connections_.size());
}

TestServer::Script answering(std::function<std::string(const TestRequest&)> answer) {
  return [answer = std::move(answer)](TestConnection& connection) {
    while (const std::optional<TestRequest> request = connection.read_request()) {
      if (!connection.write(answer(*request))) return;
    }
  };
}

std::string test_answer(int status, std::string_view body, const std::vector<Header>& headers) {
  std::string text = fmt::format("HTTP/1.1 {} Text\r\nContent-Length: {}\r\n", status, body.size());
  for (const Header& header : headers) text += fmt::format("{}: {}\r\n", header.name, header.value);
  return fmt::format("{}\r\n{}", text, body);
}

}  // namespace dropscore::net
