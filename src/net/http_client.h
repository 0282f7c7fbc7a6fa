// HTTP/1.1 requests over connections that are kept and used again; bodies stream in both directions. Over libcurl.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/result.h"

namespace dropscore::net {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;
  std::string url;  ///< percent-encoded, sent as it is; its query never reaches a log or an error
  std::vector<Header> headers;
  /// With a Content-Length. Kept by the caller until the exchange has ended.
  std::string_view body;
  /// Instead of `body`: sent chunked, as it is read. Kept by the caller until the exchange has ended.
  ByteSource* body_source = nullptr;
  std::chrono::milliseconds connect_timeout{10'000};
  /// The longest wait for a next byte in either direction. A large body may take as long as it keeps moving.
  std::chrono::milliseconds stall_timeout{30'000};
  /// Of everything until the response's header is there, and of each read() after it.
  Deadline deadline = Deadline::never();
  /// Asked to stop, the exchange ends within a second or so, as one whose time is used up.
  std::stop_token cancelled{};
  bool use_proxy = true;  ///< false: never by the proxy of the environment (a cloud's metadata address)
};

/// A response whose header has arrived; read() gives its body. One thread at a time; may outlive the client. Destroyed
/// before its end, it costs the connection. Errors of read(): `try_later`, also where the body ends short of its
/// Content-Length or last chunk.
class Exchange : public ByteSource {
 public:
  virtual int status() const = 0;
  /// The value of a header, its name in any case; empty where there is none.
  virtual std::optional<std::string_view> header(std::string_view name) const = 0;
  virtual const std::vector<Header>& headers() const = 0;
};

/// Thread-safe. TLS certificates are checked against the system's; redirects are not followed.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends, and returns when the response's header is there, whatever its status. Errors: `try_later` (no connection,
  /// TLS, reset, timeout; the text says which, with host and path, never the query or a header), `misuse` (no URL), and
  /// what `body_source` gave.
  Result<std::unique_ptr<Exchange>> send(const Request& request);

  /// For a program that ends: from here on nobody waits long between two tries (see Retry). Requests are still sent.
  void hurry() { hurry_.request_stop(); }
  std::stop_token hurried() const { return hurry_.get_token(); }

 private:
  struct Pool;
  std::shared_ptr<Pool> pool_;
  std::stop_source hurry_;
};

/// The whole body. Errors: `too_large` over `max_bytes`, and those of read().
Result<std::string> read_body(Exchange& exchange, std::size_t max_bytes);

/// `text` with everything percent-encoded but A-Z a-z 0-9 - . _ ~ and the characters of `keep` (RFC 3986).
std::string percent_encoded(std::string_view text, std::string_view keep = {});
/// Undoes it, once. Errors: `reject` (a '%' without two hexadecimal digits).
Result<std::string> percent_decoded(std::string_view text);

}  // namespace dropscore::net
