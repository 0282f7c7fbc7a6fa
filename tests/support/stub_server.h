// For tests: an HTTP/1.1 server on 127.0.0.1 that answers as a function says, and can break off wherever it is told.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace dropscore::testing {

struct StubRequest {
  std::string method;
  std::string path;                            ///< as sent, without the query
  std::map<std::string, std::string> query;    ///< as sent: percent-encoded
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  bool has(const std::string& header) const { return headers.contains(header); }
  std::string header(const std::string& name) const;
  std::string parameter(const std::string& name) const;
};

struct StubAnswer {
  enum class Cut : std::uint8_t { no, close, reset };

  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Content-Length is added where it is missing
  std::string body = {};                                          ///< not sent to a HEAD
  Cut cut = Cut::no;                                              ///< how the connection ends early
  std::size_t cut_at_bytes = 0;  ///< of the body; nothing at all is sent where `silent`
  bool silent = false;
};

/// Serves until destroyed, a thread for each connection. The function is called by one of them at a time.
class StubServer {
 public:
  using Handler = std::function<StubAnswer(const StubRequest&)>;

  explicit StubServer(Handler handler);
  ~StubServer();
  StubServer(const StubServer&) = delete;
  StubServer& operator=(const StubServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t connections() const { return accepted_; }

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> accepted_ = 0;
  std::mutex handling_;
  std::mutex sockets_mutex_;
  std::set<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace dropscore::testing
