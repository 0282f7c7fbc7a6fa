#include "app/http/test_client.h"

#include <array>
#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/http/negotiation.h"

namespace dropscore::http {
namespace {

std::string header(std::string_view head, std::string_view name) {
  std::size_t at = 0;
  while ((at = head.find("\r\n", at)) != std::string_view::npos) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name)) {
      return std::string(trimmed(line.substr(colon + 1)));
    }
  }
  return {};
}

}  // namespace

TestClient::TestClient(std::uint16_t port, int receive_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_bytes > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  const timeval limit{20, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TestClient::~TestClient() { ::close(socket_); }

bool TestClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void TestClient::end_sending() const { ::shutdown(socket_, SHUT_WR); }

bool TestClient::more() {
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  unread_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

bool TestClient::have(std::size_t bytes) {
  while (unread_.size() < bytes) {
    if (!more()) return false;
  }
  return true;
}

bool TestClient::read_chunks(std::string& body) {
  for (;;) {
    std::size_t line_end = 0;
    while ((line_end = unread_.find("\r\n")) == std::string::npos) {
      if (!more()) return false;
    }
    const std::size_t size = std::strtoull(unread_.c_str(), nullptr, 16);
    if (!have(line_end + 2 + size + 2)) {
      body += unread_.substr(line_end + 2);
      return false;
    }
    body.append(unread_, line_end + 2, size);
    unread_.erase(0, line_end + 2 + size + 2);
    if (size == 0) return true;
  }
}

bool TestClient::read_to_close(std::string& body) {
  while (more()) {
  }
  body = std::move(unread_);
  unread_.clear();
  char byte = 0;
  return ::recv(socket_, &byte, 1, 0) == 0;  // an end, not a reset
}

Response TestClient::read(bool to_head) {
  Response response;
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return response;
  }
  response.head = unread_.substr(0, end + 2);
  unread_.erase(0, end + 4);
  response.status = std::atoi(response.head.c_str() + 9);
  const std::string length = header(response.head, "Content-Length");
  if (to_head || response.status == 100) {
    response.complete = true;
  } else if (header(response.head, "Transfer-Encoding") == "chunked") {
    response.complete = read_chunks(response.body);
  } else if (!length.empty()) {
    const std::size_t size = std::strtoull(length.c_str(), nullptr, 10);
    response.complete = have(size);
    response.body = unread_.substr(0, size);
    unread_.erase(0, size);
  } else {
    response.complete = read_to_close(response.body);
  }
  return response;
}

bool TestClient::readable(std::chrono::milliseconds within) const {
  pollfd waiting{socket_, POLLIN, 0};
  return !unread_.empty() || ::poll(&waiting, 1, static_cast<int>(within.count())) == 1;
}

bool TestClient::closed(std::chrono::milliseconds within) {
  if (!unread_.empty() || !readable(within)) return false;
  char byte = 0;
  return ::recv(socket_, &byte, 1, 0) <= 0;
}

Response TestClient::ask(std::string_view request) {
  send(request);
  return read();
}

std::string post(std::string_view type, std::string_view body, std::string_view more_headers) {
  std::string request = "POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: ";
  request += type;
  request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  request += more_headers;
  request += "\r\n";
  request += body;
  return request;
}

}  // namespace dropscore::http
