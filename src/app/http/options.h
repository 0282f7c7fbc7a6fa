// What an operator may set about the HTTP front door. Every wait and every size has a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "app/http/api_key.h"
#include "base/limits.h"
#include "base/result.h"

namespace dropscore::http {

struct ServerOptions {
  std::string host = "127.0.0.1";       ///< an address or a name of this machine; 0.0.0.0: all of its addresses
  std::uint16_t port = 8000;            ///< 0: any free one, see Server::port()
  std::shared_ptr<const KeyRing> keys;  ///< one is asked for wherever access is not open; none: everybody may ask
  bool insecure_open = false;           ///< without keys, may listen on more than this machine's loopback addresses
  unsigned threads = 2;                 ///< reactors; for each, two more sleep unless there are large bodies to score
  unsigned endpoint_threads = 16;       ///< answers of endpoints made at a time, each of which may block; others wait

  /// False: its requests leave no line in the log and count in no metric, for a listener that is asked every few
  /// seconds how it does.
  bool records_requests = true;

  std::uint64_t max_json_body_bytes = limits::max_json_body_bytes;
  std::uint64_t max_csv_body_bytes = limits::max_csv_body_bytes;
  /// JSON and endpoints' bodies held in memory at one time, of all connections; a request that would pass it gets 503.
  std::uint64_t max_buffered_body_bytes = 256 * limits::mib;
  std::size_t max_header_bytes = limits::max_header_bytes;
  std::size_t max_connections = limits::max_connections;
  /// Bodies over 64 KiB that wait for a thread to score them; the next one gets 503.
  std::size_t max_waiting_work = 64;
  /// A client that is turned away because there are too many is told so after this time, or up to 50 ms later.
  std::uint32_t refusal_pause_ms = 250;

  /// From a request's first byte (or a connection's start) to the end of its header.
  std::uint32_t header_timeout_ms = 10'000;
  /// The client must send another KiB of body, or its end, within this much waiting; a client that drips bytes to
  /// hold a connection is cut off too.
  std::uint32_t body_timeout_ms = 30'000;
  /// The client must take some of the answer within this time.
  std::uint32_t write_timeout_ms = 30'000;
  /// Between two requests on one connection.
  std::uint32_t keep_alive_timeout_ms = 60'000;
  /// stop() waits this long for requests under way.
  std::uint32_t drain_timeout_ms = 10'000;

  /// A streamed answer is held up by a client that sends its whole body before it reads. After this long without
  /// progress the answer goes to a temporary file instead, and is sent once the body has ended. See
  /// docs/formats/http.md.
  std::uint32_t answer_stall_ms = 1'000;
  /// The most that all such files may hold; 0 turns it off, and such a client then meets write_timeout_ms.
  std::uint64_t max_spool_bytes = 4ULL << 30U;
  /// Where it is made; empty: the system's folder for temporary files.
  std::string spool_folder;

  Status validate() const;
};

}  // namespace dropscore::http
