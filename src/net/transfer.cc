#include "net/transfer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <strings.h>

#include <fmt/format.h>

#include "base/build_info.h"
#include "base/limits.h"
#include "telemetry/heartbeat.h"

namespace dropscore::net {
namespace {

using std::chrono::milliseconds;

constexpr long transfer_buffer_bytes = 256L * 1024;
constexpr std::size_t max_spare_bytes = 256 * limits::kib;
constexpr std::size_t max_response_header_bytes = 64 * limits::kib;
constexpr long max_connection_idle_s = 60;
constexpr milliseconds longest_poll{1000};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  static constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// libcurl's own text tells more for these, and holds nothing of the URL's query, the headers or a proxy's password.
bool has_plain_text(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PARTIAL_FILE;
}

}  // namespace

Transfer::Transfer(const Request& request, Target target, std::shared_ptr<CurlPool> pool,
                   std::unique_ptr<CurlHandle> handle)
    : pool_(std::move(pool)),
      handle_(std::move(handle)),
      target_(std::move(target)),
      may_repeat_(request.body_source == nullptr && (request.method == "GET" || request.method == "HEAD")),
      deadline_(request.deadline),
      cancelled_(request.cancelled),
      stall_timeout_(request.stall_timeout),
      body_(request.body),
      source_(request.body_source) {}

Transfer::~Transfer() { release_handle(); }

void Transfer::release_handle() {
  if (!handle_) return;
  // Before its end, this closes the connection.
  curl_multi_remove_handle(handle_->multi.get(), handle_->easy.get());
  curl_easy_setopt(handle_->easy.get(), CURLOPT_ERRORBUFFER, nullptr);
  pool_->give_back(std::move(handle_));
}

Status Transfer::start(const Request& request) {
  if (!set_options(request) || !set_body(request) || !set_headers(request)) {
    return failure("the request cannot be put together");
  }
  last_moved_ = Clock::now();
  if (curl_multi_add_handle(handle_->multi.get(), handle_->easy.get()) != CURLM_OK) return failure("out of memory");
  DROPSCORE_CHECK(drive([this] { return header_complete_; }));
  if (!header_complete_) return error_ ? tl::unexpected(*error_) : failure("no answer");
  return {};
}

std::optional<std::string_view> Transfer::header(std::string_view name) const {
  for (const Header& header : headers_) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

Result<std::size_t> Transfer::read(std::span<char> out) {
  const std::size_t spare = std::min(out.size(), spare_.size() - spare_taken_);
  if (spare > 0) {
    std::memcpy(out.data(), spare_.data() + spare_taken_, spare);
    spare_taken_ += spare;
    return spare;
  }
  spare_.clear();
  spare_taken_ = 0;
  if (error_) return tl::unexpected(*error_);
  if (done_) return 0U;

  out_ = out;
  out_filled_ = 0;
  last_moved_ = Clock::now();  // how long the reader stayed away does not count
  if (paused_) {
    paused_ = false;
    curl_easy_pause(handle_->easy.get(), CURLPAUSE_CONT);  // calls take_body() with what it held back
  }
  const Status driven = drive([this] { return out_filled_ > 0; });
  out_ = {};
  if (out_filled_ > 0) return out_filled_;
  if (!driven) return tl::unexpected(driven.error());
  return 0U;
}

/// Moves bytes until `until` holds, or the exchange has ended.
template <class Until>
Status Transfer::drive(const Until& until) {
  while (!done_ && !until()) {
    int running = 0;
    if (curl_multi_perform(handle_->multi.get(), &running) != CURLM_OK) {
      curl_result_ = CURLE_OUT_OF_MEMORY;
      done_ = true;
    }
    take_result();
    if (done_ || until()) break;
    if (Status in_time = check_time(); !in_time) {
      error_ = in_time.error();
      done_ = true;
      release_handle();
      return in_time;
    }
    const milliseconds until_stall = std::chrono::ceil<milliseconds>(last_moved_ + stall_timeout_ - Clock::now());
    const milliseconds most = sending_ ? std::clamp(until_stall, milliseconds(1), longest_poll) : longest_poll;
    const milliseconds wait = std::max(deadline_.left(most), milliseconds(1));
    curl_multi_poll(handle_->multi.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  if (done_ && handle_) {
    if (curl_result_ != CURLE_OK && !error_) error_ = curl_failure().value();
    release_handle();
  }
  if (error_ && !until()) return tl::unexpected(*error_);
  return {};
}

/// Asked at every turn of a wait, which a limit of its own ends.
Status Transfer::check_time() {
  telemetry::beat();
  note_progress();
  if (deadline_.passed() || cancelled_.stop_requested()) return failure("the time for it is used up");
  if (sending_ && Clock::now() - last_moved_ >= stall_timeout_) {
    return failure(fmt::format("no byte came or went for {} ms", stall_timeout_.count()));
  }
  return {};
}

void Transfer::note_progress() {
  curl_off_t up = 0;
  curl_off_t down = 0;
  curl_easy_getinfo(handle_->easy.get(), CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(handle_->easy.get(), CURLINFO_SIZE_DOWNLOAD_T, &down);
  const curl_off_t moved = up + down + static_cast<curl_off_t>(header_bytes_);
  if (moved != moved_bytes_) last_moved_ = Clock::now();
  moved_bytes_ = moved;
}

void Transfer::take_result() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(handle_->multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    curl_result_ = message->data.result;
    done_ = true;
  }
}

tl::unexpected<Error> Transfer::failure(std::string_view why) const {
  return fail(ErrorKind::try_later, CustomerText{"a service did not answer as it should"},
              OperatorText{fmt::format("{}: {}", target_.place, why)});
}

tl::unexpected<Error> Transfer::curl_failure() const {
  switch (callback_) {
    case Callback::header_too_large: return failure("the answer's header is too large");
    case Callback::connection_was_dead: return failure("the connection had been closed by the other side");
    case Callback::source_failed:
    case Callback::fine: break;
  }
  if (has_plain_text(curl_result_) && curl_text_[0] != '\0') return failure(trimmed(curl_text_.data()));
  return failure(curl_easy_strerror(curl_result_));
}

std::size_t Transfer::take_header(std::string_view line) {
  if (header_complete_) return line.size();  // a chunked body's trailer
  header_bytes_ += line.size();
  if (header_bytes_ > max_response_header_bytes) {
    callback_ = Callback::header_too_large;
    return 0;
  }
  last_moved_ = Clock::now();
  if (line.starts_with("HTTP/")) {
    headers_.clear();
    return line.size();
  }
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    long status = 0;
    curl_easy_getinfo(handle_->easy.get(), CURLINFO_RESPONSE_CODE, &status);
    status_ = static_cast<int>(status);
    header_complete_ = status >= 200;
    return line.size();
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    headers_.push_back({std::string(text.substr(0, colon)), std::string(trimmed(text.substr(colon + 1)))});
  }
  return line.size();
}

std::size_t Transfer::take_body(std::string_view bytes) {
  const std::size_t direct = std::min(bytes.size(), out_.size() - std::min(out_filled_, out_.size()));
  const std::size_t rest = bytes.size() - direct;
  if (rest > 0 && spare_.size() + rest > max_spare_bytes) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  std::copy_n(bytes.data(), direct, out_.data() + out_filled_);
  out_filled_ += direct;
  spare_.append(bytes.substr(direct));
  return bytes.size();
}

std::size_t Transfer::give_upload(std::span<char> room) {
  if (source_ == nullptr) {
    const std::size_t count = std::min(room.size(), body_.size() - body_sent_);
    std::memcpy(room.data(), body_.data() + body_sent_, count);
    body_sent_ += count;
    return count;
  }
  source_touched_ = true;
  const Result<std::size_t> got = source_->read(room);
  last_moved_ = Clock::now();  // how long the source took is not the other side's fault
  if (!got) {
    error_ = got.error();
    callback_ = Callback::source_failed;
    return CURL_READFUNC_ABORT;
  }
  return *got;
}

std::size_t Transfer::on_header(char* bytes, std::size_t, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_header({bytes, count});
}

std::size_t Transfer::on_body(char* bytes, std::size_t, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_body({bytes, count});
}

std::size_t Transfer::on_upload(char* bytes, std::size_t, std::size_t room, void* self) {
  return static_cast<Transfer*>(self)->give_upload({bytes, room});
}

int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto* const transfer = static_cast<Transfer*>(self);
  if (transfer->source_ != nullptr || origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  transfer->body_sent_ = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int Transfer::on_ready_to_send(void* self, char*, char*, int, int) {
  auto* const transfer = static_cast<Transfer*>(self);
  // A second time means that a kept connection died without an answer, and that libcurl has made another. Whether the
  // first sending took effect is not known: that is for the caller to weigh, except where it cannot matter.
  if (transfer->sending_ && !transfer->may_repeat_) {
    transfer->callback_ = Callback::connection_was_dead;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer->sending_ = true;
  transfer->last_moved_ = Clock::now();
  return CURL_PREREQFUNC_OK;
}

bool Transfer::set_options(const Request& request) {
  CURL* const easy = handle_->easy.get();
  bool fine = true;
  const auto set = [&](CURLoption option, auto value) {
    fine = curl_easy_setopt(easy, option, value) == CURLE_OK && fine;
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_USERAGENT, fmt::format("dropscore/{}", build_info::version).c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // who gives up does not wait for a name server
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXAGE_CONN, max_connection_idle_s);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!pool_->certificates().empty()) set(CURLOPT_CAINFO, pool_->certificates().c_str());
  if (!request.use_proxy || target_.is_loopback) set(CURLOPT_PROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_BUFFERSIZE, transfer_buffer_bytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, transfer_buffer_bytes);
  set(CURLOPT_ERRORBUFFER, curl_text_.data());
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_PREREQFUNCTION, &Transfer::on_ready_to_send);
  set(CURLOPT_PREREQDATA, this);
  return fine;
}

bool Transfer::set_body(const Request& request) {
  CURL* const easy = handle_->easy.get();
  bool fine = true;
  const auto set = [&](CURLoption option, auto value) {
    fine = curl_easy_setopt(easy, option, value) == CURLE_OK && fine;
  };
  const bool has_body = !body_.empty() || source_ != nullptr || request.method == "PUT" || request.method == "POST" ||
                        request.method == "PATCH";
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    // With an unknown size libcurl sends chunks; with size 0, "Content-Length: 0".
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, source_ != nullptr ? curl_off_t{-1} : static_cast<curl_off_t>(body_.size()));
    set(CURLOPT_READFUNCTION, &Transfer::on_upload);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
    set(CURLOPT_SEEKDATA, this);
  }
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return fine;
}

bool Transfer::set_headers(const Request& request) {
  const auto add = [this](const std::string& line) {
    curl_slist* const longer = curl_slist_append(header_list_.get(), line.c_str());
    if (longer == nullptr) return false;
    static_cast<void>(header_list_.release());
    header_list_.reset(longer);
    return true;
  };
  bool fine = add("Expect:");
  for (const Header& header : request.headers) {
    // libcurl's way of writing a header without a value.
    fine = add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value) && fine;
  }
  return curl_easy_setopt(handle_->easy.get(), CURLOPT_HTTPHEADER, header_list_.get()) == CURLE_OK && fine;
}

}  // namespace dropscore::net
