// For tests: a client that writes what it is told, byte for byte, and a server with a small model.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "app/http/server.h"

namespace dropscore::http {

/// Two numeric columns, Age and Spend. Whatever is no number in them is rejected.
job::Scorer small_scorer();

struct Response {
  int status = 0;  ///< 0: none came
  std::string head;
  std::string body;       ///< without its chunks' headers
  bool complete = false;  ///< came whole, as its framing says
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

/// Blocking, but for no longer than 20 s at a time. Not thread-safe, except that one thread may send while another
/// reads.
class TestClient {
 public:
  /// `receive_bytes`: size of the kernel's buffer, 0 for its own choice.
  explicit TestClient(std::uint16_t port, int receive_bytes = 0);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) const;
  void end_sending() const;
  /// `to_head`: the answer to a HEAD request has no body.
  Response read(bool to_head = false);
  /// True once a byte, or the end, is there to be read.
  bool readable(std::chrono::milliseconds within = std::chrono::seconds(20)) const;
  /// True where the server closes without another byte, in time.
  bool closed(std::chrono::milliseconds within = std::chrono::seconds(20));
  Response ask(std::string_view request);

 private:
  bool more();
  bool have(std::size_t bytes);
  bool read_chunks(std::string& body);
  bool read_to_close(std::string& body);

  int socket_ = -1;
  bool connected_ = false;
  std::string unread_;
};

std::string post(std::string_view type, std::string_view body, std::string_view more_headers = "");

}  // namespace dropscore::http
