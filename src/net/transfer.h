// One request and its response over a libcurl handle: the Exchange behind HttpClient.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "net/curl_handle.h"
#include "net/http_client.h"

namespace dropscore::net {

/// What of a URL may be named in an error, and what the pool tells connections apart by.
struct Target {
  std::string origin;  ///< "https://host:443"
  std::string place;   ///< "PUT host/path"
  bool is_loopback = false;
};

/// Does not move: libcurl holds pointers to it.
class Transfer : public Exchange {
 public:
  Transfer(const Request& request, Target target, std::shared_ptr<CurlPool> pool, std::unique_ptr<CurlHandle> handle);
  ~Transfer() override;

  /// Sends, and waits for the response's header. Errors as HttpClient::send.
  Status start(const Request& request);

  int status() const override { return status_; }
  std::optional<std::string_view> header(std::string_view name) const override;
  const std::vector<Header>& headers() const override { return headers_; }
  Result<std::size_t> read(std::span<char> out) override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Callback : std::uint8_t { fine, source_failed, header_too_large, connection_was_dead };

  bool set_options(const Request& request);
  bool set_body(const Request& request);
  bool set_headers(const Request& request);

  template <class Until>
  Status drive(const Until& until);
  Status check_time();
  void note_progress();
  void take_result();
  void release_handle();
  tl::unexpected<Error> failure(std::string_view why) const;
  tl::unexpected<Error> curl_failure() const;

  static std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* self);
  static std::size_t on_upload(char* bytes, std::size_t, std::size_t room, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_ready_to_send(void* self, char*, char*, int, int);
  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  std::size_t give_upload(std::span<char> room);

  std::shared_ptr<CurlPool> pool_;
  std::unique_ptr<CurlHandle> handle_;  // null once the exchange has ended
  HeaderList header_list_;
  std::array<char, CURL_ERROR_SIZE> curl_text_{};
  Target target_;
  bool may_repeat_ = false;  ///< libcurl may send it again on another connection
  Deadline deadline_;
  std::stop_token cancelled_;
  std::chrono::milliseconds stall_timeout_;

  // The request's body.
  std::string_view body_;
  std::size_t body_sent_ = 0;
  ByteSource* source_ = nullptr;
  bool source_touched_ = false;

  // The response.
  int status_ = 0;
  std::vector<Header> headers_;
  std::size_t header_bytes_ = 0;
  bool header_complete_ = false;
  std::span<char> out_;  ///< the reader's, while it waits
  std::size_t out_filled_ = 0;
  std::string spare_;  ///< what came beyond it
  std::size_t spare_taken_ = 0;
  bool paused_ = false;

  // How it goes.
  bool sending_ = false;  ///< connected
  Clock::time_point last_moved_;
  curl_off_t moved_bytes_ = 0;
  bool done_ = false;
  CURLcode curl_result_ = CURLE_OK;
  Callback callback_ = Callback::fine;
  std::optional<Error> error_;  ///< what every further read() gives
};

}  // namespace dropscore::net
