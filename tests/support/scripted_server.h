// An HTTP/1.1 server inside a test: answers each request as the test's own function says. Connections are kept open;
// one thread each. No chunked bodies.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dropscore::testing {

struct ServerRequest {
  std::string method;
  std::string target;                          ///< path and query, as sent
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct ServerReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  bool hang_up = false;  ///< close the connection instead of answering
};

class ScriptedServer {
 public:
  using Answer = std::function<ServerReply(const ServerRequest&)>;

  /// `answer` is called on several threads, and must outlive this.
  explicit ScriptedServer(Answer answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : open_) ::shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void accept_all() {
    while (!stopping_) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) continue;
      const std::lock_guard lock(mutex_);
      open_.push_back(connection);
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) {
    std::string buffer;
    ServerRequest request;
    while (!stopping_ && read_request(connection, buffer, request)) {
      const ServerReply reply = answer_(request);
      if (reply.hang_up || !send_all(connection, text_of(reply))) break;
    }
    const std::lock_guard lock(mutex_);
    open_.remove(connection);
    ::close(connection);
  }

  static bool read_more(int connection, std::string& buffer) {
    char chunk[4096];
    const ssize_t got = ::recv(connection, chunk, sizeof chunk, 0);
    if (got > 0) buffer.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }

  static bool read_request(int connection, std::string& buffer, ServerRequest& request) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(connection, buffer)) return false;
    }
    request = parse_head(std::string_view(buffer).substr(0, end));
    const auto length = request.headers.find("content-length");
    const std::size_t body = length == request.headers.end() ? 0 : std::stoul(length->second);
    while (buffer.size() < end + 4 + body) {
      if (!read_more(connection, buffer)) return false;
    }
    request.body = buffer.substr(end + 4, body);
    buffer.erase(0, end + 4 + body);
    return true;
  }

  static ServerRequest parse_head(std::string_view head) {
    ServerRequest request;
    const auto cut = [&head](std::string_view mark) {
      const std::string_view part = head.substr(0, head.find(mark));
      head.remove_prefix(std::min(part.size() + mark.size(), head.size()));
      return std::string(part);
    };
    request.method = cut(" ");
    request.target = cut(" ");
    cut("\r\n");
    while (!head.empty()) {
      std::string name = cut(": ");
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      request.headers[name] = cut("\r\n");
    }
    return request;
  }

  static std::string text_of(const ServerReply& reply) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
    for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
    if (reply.status != 204) text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    return text + "\r\n" + reply.body;
  }

  static bool send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  const Answer answer_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<int> open_;               // under mutex_
  std::vector<std::thread> threads_;  // under mutex_ until the acceptor has ended
  std::thread acceptor_;
};

}  // namespace dropscore::testing
