// The listening socket, and the thread that takes connections from it.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "base/files.h"
#include "base/result.h"

namespace dropscore::http {

/// A socket that listens, the port it got, and whether this machine alone can connect.
struct Listening {
  FileDescriptor socket;
  std::uint16_t port = 0;
  bool loopback = false;
};

/// Who may connect: this machine alone (an address that is loopback, whatever its name), or whoever reaches it.
enum class Reach : std::uint8_t { this_machine, everybody };

/// Errors: `misuse`: a name that has no address, an address that reaches further than asked for; `try_later`: the port
/// is taken; `give_up`: an address that is not this machine's, a port that needs a right.
Result<Listening> listen_on(const std::string& host, std::uint16_t port, Reach reach);

/// Accepts on a thread of its own until stopped, and hands on each connection as a non-blocking socket that the
/// receiver owns.
class Listener {
 public:
  /// Where `on_connection` says false, the next connection is taken after a pause: the others wait in the kernel.
  Listener(FileDescriptor listening, std::function<bool(int)> on_connection);
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Returns once the thread has ended and the port is free. Not thread-safe.
  void stop();

 private:
  void run();
  void accept_waiting();

  FileDescriptor listening_;
  FileDescriptor stop_event_;
  std::function<bool(int)> on_connection_;
  std::thread thread_;
};

}  // namespace dropscore::http
