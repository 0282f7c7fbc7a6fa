#include "tests/support/stub_server.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dropscore::testing {
namespace {

std::string found_in(const std::map<std::string, std::string>& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? std::string() : found->second;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Adds what comes to `unread`. False at the end.
bool more(int socket, std::string& unread) {
  std::array<char, 65536> bytes{};
  const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  unread.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void parse_target(std::string_view target, StubRequest& request) {
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question == std::string_view::npos) return;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    request.query[std::string(pair.substr(0, equals))] = pair.substr(std::min(equals + 1, pair.size()));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
  }
}

StubRequest parse_head(std::string_view head) {
  StubRequest request;
  std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t space = line.find(' ');
  request.method = line.substr(0, space);
  parse_target(line.substr(space + 1, line.rfind(' ') - space - 1), request);
  for (head.remove_prefix(line.size() + 2); !head.empty(); head.remove_prefix(line.size() + 2)) {
    line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    request.headers[lower(std::string(line.substr(0, colon)))] = line.substr(value);
  }
  return request;
}

/// Empty at the end of the connection. Bodies have a Content-Length.
std::optional<StubRequest> read_request(int socket, std::string& unread) {
  std::size_t end = 0;
  while ((end = unread.find("\r\n\r\n")) == std::string::npos) {
    if (!more(socket, unread)) return std::nullopt;
  }
  StubRequest request = parse_head(std::string_view(unread).substr(0, end + 2));
  unread.erase(0, end + 4);
  const std::string length = request.header("content-length");
  const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
  if (request.header("expect") == "100-continue") send_all(socket, "HTTP/1.1 100 Continue\r\n\r\n");
  while (unread.size() < wanted) {
    if (!more(socket, unread)) return std::nullopt;
  }
  request.body = unread.substr(0, wanted);
  unread.erase(0, wanted);
  return request;
}

std::string head_of(const StubAnswer& answer) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " A reason\r\n";
  bool has_length = answer.status == 304;
  for (const auto& [name, value] : answer.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
    has_length = has_length || lower(name) == "content-length";
  }
  if (!has_length) head.append("Content-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
  return head.append("\r\n");
}

}  // namespace

std::string StubRequest::header(const std::string& name) const { return found_in(headers, name); }
std::string StubRequest::parameter(const std::string& name) const { return found_in(query, name); }

StubServer::StubServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the stub server has no port");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

StubServer::~StubServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(sockets_mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void StubServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++accepted_;
    const std::lock_guard lock(sockets_mutex_);
    sockets_.insert(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void StubServer::serve(int socket) {
  std::string unread;
  while (const std::optional<StubRequest> request = read_request(socket, unread)) {
    StubAnswer answer;
    {
      const std::lock_guard lock(handling_);
      answer = handler_(*request);
    }
    const bool cut = answer.cut != StubAnswer::Cut::no || answer.silent;
    std::string_view body = request->method == "HEAD" ? std::string_view() : std::string_view(answer.body);
    if (cut) body = body.substr(0, std::min(body.size(), answer.cut_at_bytes));
    if (!answer.silent && !send_all(socket, head_of(answer) + std::string(body))) break;
    if (!cut) continue;
    if (answer.cut == StubAnswer::Cut::reset) {
      const linger now{1, 0};
      ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    break;
  }
  const std::lock_guard lock(sockets_mutex_);
  sockets_.erase(socket);
  ::close(socket);
}

}  // namespace dropscore::testing
