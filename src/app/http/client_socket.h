// A client's socket, the bytes that came from it, and a limit on every wait for it.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <string_view>

#include "app/http/event_loop.h"
#include "app/http/input_buffer.h"
#include "app/http/task.h"
#include "base/files.h"

namespace dropscore::http {

enum class Io : std::uint8_t { ok, must_wait, end, timed_out, failed };

/// Of one coroutine at a time, on its loop's thread.
class ClientSocket final : private EventLoop::Watcher {
 public:
  /// Takes over `socket`, which is connected and does not block.
  ClientSocket(EventLoop& loop, int socket, std::size_t max_input_bytes);
  ~ClientSocket() { close(); }

  InputBuffer& in() { return in_; }
  const InputBuffer& in() const { return in_; }

  /// Waits for more input and puts it behind what is there. Others have their turn in between, so that a client that
  /// sends without end does not have the thread to itself.
  Task<Io> fill(Clock::time_point until);
  /// Takes from the front of `bytes` what was sent. Any progress renews the client's `patience`.
  Task<Io> send(std::string_view& bytes, std::chrono::milliseconds patience);
  /// As much of fill() and send() as needs no waiting, and the waiting.
  Io receive();
  Io send_some(std::string_view& bytes);
  struct Wait;
  Wait input(Clock::time_point until);
  Wait output(Clock::time_point until);
  /// Waits that long, whatever the client does: always Io::timed_out, or Io::failed.
  Wait pause(Clock::time_point until);

  /// Bytes that could be read now.
  bool readable() const;
  /// Ends the connection so that the client gets the answer: to close while its bytes are still coming in would make
  /// the kernel send a reset, which throws away what the client has not read.
  Task<void> hang_up(bool unread_bytes);
  /// Tells the client that the answer is cut off, in the only way that is left.
  void reset();
  /// Whoever waits goes on, and finds that it failed.
  void close();
  bool closed() const { return !socket_.valid(); }

  /// Ends a wait that has lasted too long.
  void check_deadline(Clock::time_point now);

 private:
  enum class Waiting : std::uint8_t { no, for_input, for_output, for_time };

  void on_events(std::uint32_t events) override;
  bool ready_for(Waiting what) const;
  void wake();

  EventLoop& loop_;
  FileDescriptor socket_;
  InputBuffer in_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::coroutine_handle<> waiting_;
  Waiting waiting_for_ = Waiting::no;
  bool expired_ = false;
  // What the kernel said and was not yet found to be over. Until the first event, it is not known.
  bool may_read_ = false;
  bool may_write_ = true;
  bool ended_ = false;  ///< the client sends no more: no event will follow
};

/// `ok`, `timed_out`, or `failed` where the socket was closed meanwhile.
struct ClientSocket::Wait {
  bool await_ready() const noexcept { return socket.closed(); }
  void await_suspend(std::coroutine_handle<> coroutine) const;
  Io await_resume() const noexcept;

  ClientSocket& socket;
  Waiting wait_for;
  Clock::time_point until;
};

inline ClientSocket::Wait ClientSocket::input(Clock::time_point until) { return {*this, Waiting::for_input, until}; }
inline ClientSocket::Wait ClientSocket::output(Clock::time_point until) { return {*this, Waiting::for_output, until}; }
inline ClientSocket::Wait ClientSocket::pause(Clock::time_point until) { return {*this, Waiting::for_time, until}; }

}  // namespace dropscore::http
