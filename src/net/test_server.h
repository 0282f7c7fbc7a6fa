// A server for tests of clients: on a free port of 127.0.0.1, one thread for each connection, a script that says what
// happens on it. So it can do what a proper server never would.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"
#include "net/http_client.h"

namespace dropscore::net {

struct TestRequest {
  std::string method;
  std::string target;  ///< path and query, as they came
  std::vector<Header> headers;
  std::string body;

  std::optional<std::string> header(std::string_view name) const;
  bool is_chunked() const { return header("transfer-encoding") == "chunked"; }
};

/// Used by its script's thread.
class TestConnection {
 public:
  TestConnection(FileDescriptor socket, int number) : socket_(std::move(socket)), number_(number) {}

  /// Counted from 1.
  int number() const { return number_; }
  /// A request with its body; empty once the client has gone.
  std::optional<TestRequest> read_request();
  /// Without the body: that is for read_body().
  std::optional<TestRequest> read_head();
  /// False where the client has gone.
  bool read_body(TestRequest& request);
  /// A next piece of a chunked body, as it comes; empty at its end.
  std::string read_chunk();
  /// False where the client has gone.
  bool write(std::string_view bytes) const;
  /// Ends with a reset instead of a proper close.
  void reset();
  /// Ends what the script waits for.
  void shut_down() const;

 private:
  bool fill();
  std::optional<std::string> take(std::size_t bytes);
  std::optional<std::string> take_line();

  mutable std::mutex mutex_;  ///< of socket_, which the server's end looks at, too
  FileDescriptor socket_;
  int number_;
  std::string input_;
};

class TestServer {
 public:
  using Script = std::function<void(TestConnection&)>;

  /// The connection is closed when `script` returns.
  explicit TestServer(Script script);
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();

  std::string url(std::string_view path) const;
  std::string origin() const { return url(""); }
  int connections() const;

 private:
  void accept_all();

  Script script_;
  FileDescriptor listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::list<TestConnection> connections_;
  std::vector<std::thread> threads_;  ///< of the connections; once stopping_, none is added
  std::thread acceptor_;
};

/// Answers request after request, until the client goes.
TestServer::Script answering(std::function<std::string(const TestRequest&)> answer);

/// A response with a Content-Length.
std::string test_answer(int status, std::string_view body = {}, const std::vector<Header>& headers = {});

}  // namespace dropscore::net
