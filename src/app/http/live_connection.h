// One client's connection as its coroutine sees it. Private to the connection*.cc; others call serve().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "app/http/client_socket.h"
#include "app/http/connection.h"
#include "app/http/problem.h"
#include "app/http/quick_request.h"
#include "app/http/request_log.h"
#include "app/http/request_parser.h"
#include "app/http/response.h"
#include "app/http/spool.h"
#include "app/http/task.h"

namespace dropscore::http {

inline constexpr std::size_t input_bytes = 64 * limits::kib;        // read from a socket at a time
inline constexpr std::size_t flush_bytes = 64 * limits::kib;        // written to a socket at a time
inline constexpr std::size_t inline_body_bytes = 64 * limits::kib;  // of a larger body, scoring is the workers' task
inline constexpr std::size_t discard_bytes = 64 * limits::kib;      // of a body nobody wants, to keep its connection

/// One request that RequestParser reads, and what became of it.
struct Request {
  explicit Request(std::size_t max_header_bytes) : parser(std::make_shared<RequestParser>(max_header_bytes)) {}

  const RequestHead& head() const { return parser->head(); }

  std::shared_ptr<RequestParser> parser;
  RequestRecord record;
  bool understood = false;    ///< head() may be asked
  bool keep_alive = false;    ///< the connection, after the answer
  bool body_pending = false;  ///< some of it was not read
  bool framing_lost = false;  ///< where the next request begins is unknown
  bool continue_asked = false;
  std::uint64_t max_body_bytes = discard_bytes;
  std::uint64_t bytes_at_patience = 0;
  Clock::duration patience{};  ///< that is left for the next KiB of body
  std::string model_version;   ///< of the model that was asked
  std::optional<Problem> failure;
};

/// A part of something that all connections have together; given back at the end.
class Share {
 public:
  Share(std::atomic<std::uint64_t>& used, std::uint64_t limit) : used_(used), limit_(limit) {}
  ~Share() { give_back(); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  bool take(std::uint64_t more) {
    if ((used_ += more) > limit_) {
      used_ -= more;
      return false;
    }
    taken_ += more;
    return true;
  }
  void give_back() { used_ -= std::exchange(taken_, 0); }

 private:
  std::atomic<std::uint64_t>& used_;
  std::uint64_t limit_;
  std::uint64_t taken_ = 0;
};

/// An answer that is sent while its request is still being read.
struct StreamedAnswer {
  explicit StreamedAnswer(Shared& shared) : spool_share(shared.spooled_bytes, shared.options.max_spool_bytes) {}

  MediaType type = MediaType::json;
  bool begun = false;
  std::string text;   ///< not yet framed
  std::string frame;  ///< being sent
  std::optional<Spool> spool;
  Share spool_share;
  bool spool_failed = false;
};

class Connection final : public LiveConnection {
 public:
  Connection(const Surroundings& surroundings, int socket);
  ~Connection() override;

  Task<void> run();
  Task<void> turn_away();

  void check_deadline(Clock::time_point now) override;
  void close_if_idle() override;
  void close() override;

 private:
  enum class Got : std::uint8_t { request, refused, nothing };
  enum class BodyStep : std::uint8_t { bytes, end, failed };

  // connection.cc: from request to request.
  Task<bool> answer_one(Clock::time_point header_until);
  Task<bool> send_all(Request& request, std::string_view bytes);
  Task<void> respond(Request& request);
  std::chrono::milliseconds write_patience() const;
  Shared& shared() const { return around_.shared; }

  // connection_quick.cc: requests that need no waiting.
  bool answer_ready(ReadyAnswers& ready);
  bool answer_next(ReadyAnswers& ready);
  Io send_ready(ReadyAnswers& ready);
  Task<bool> send_rest(ReadyAnswers& ready);

  // connection_body.cc: a request's bytes.
  Task<Got> read_head(Request& request, Clock::time_point until);
  Task<BodyStep> read_body(Request& request, std::span<char> out, std::size_t& count);
  Task<bool> discard_body(Request& request);
  Task<bool> read_whole(Request& request, Share& memory, std::string& body);
  Task<bool> read_filtered(Request& request, Share& memory, BodyFilter& filter, std::string& body);
  bool must_wait(const Request& request) const;

  // connection_answer.cc: its answer.
  Task<void> answer(Request& request, unsigned status, std::string_view type, std::string_view body,
                    std::span<const Header> headers = {});
  Task<void> refuse(Request& request, const Problem& problem);
  Task<void> answer_health(Request& request);
  std::string health_body() const;
  Task<void> answer_json(Request& request);
  Task<void> answer_endpoint(Request& request, std::shared_ptr<const Endpoint> endpoint);
  bool may_keep_alive(const Request& request) const;
  Task<void> on_worker(std::function<void()> work);
  bool too_many_waiting() const;
  Task<void> refuse_late(Request& request, const Problem& problem);
  Problem busy() const;
  void count_turned_away(std::string_view reason) const;

  // connection_csv.cc: an answer that begins before its request has ended.
  Task<void> answer_csv(Request& request, job::Format format);
  Task<void> fail_stream(Request& request, const StreamedAnswer& streamed, Problem problem);
  Task<bool> stream_out(Request& request, StreamedAnswer& streamed, bool last);
  Task<bool> queue(Request& request, StreamedAnswer& streamed, bool last);
  bool lay_aside(const Request& request, StreamedAnswer& streamed, std::string_view bytes);
  Task<bool> empty_spool(Request& request, StreamedAnswer& streamed);

  Surroundings around_;
  ClientSocket socket_;
  std::shared_ptr<EndpointCall> call_;  ///< that is waited for
  Clock::time_point begun_;             ///< when the next request's first byte came
  bool unread_bytes_ = false;           ///< of the last request
  bool idle_ = false;                   ///< waits for a request's first byte
};

}  // namespace dropscore::http
