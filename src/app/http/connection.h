// One client's connection: reads its requests one after the other, answers each, and keeps to the limits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "app/http/endpoint_call.h"
#include "app/http/event_loop.h"
#include "app/http/options.h"
#include "app/http/request_log.h"
#include "app/http/routes.h"
#include "app/http/workers.h"
#include "job/scorer.h"

namespace dropscore::http {

/// How many connections a server has. Thread-safe.
class ConnectionCount {
 public:
  std::size_t add();  ///< the count with this one
  void remove();
  std::size_t count() const;
  /// False where some are left at `until`; without it, waits as long as it takes.
  bool wait_for_none(std::optional<Clock::time_point> until);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
};

/// What all connections of one server share; outlives them.
struct Shared {
  Shared(ServerOptions o, Routes r, std::function<job::Scorer()> s)
      : options(std::move(o)), routes(std::move(r)), scorer(std::move(s)) {}

  ServerOptions options;
  Routes routes;
  std::function<job::Scorer()> scorer;  ///< empty where nothing is predicted
  EndpointThreads endpoint_threads{options.endpoint_threads};
  ConnectionCount connections;
  std::atomic<std::uint64_t> buffered_body_bytes{0};
  std::atomic<std::uint64_t> spooled_bytes{0};
  std::atomic<bool> draining{false};  ///< no request is begun any more
};

/// What a reactor may do with a connection of its own, on its own thread.
class LiveConnection {
 public:
  LiveConnection() = default;
  LiveConnection(const LiveConnection&) = delete;
  LiveConnection& operator=(const LiveConnection&) = delete;
  virtual ~LiveConnection() = default;

  virtual void check_deadline(Clock::time_point now) = 0;
  virtual void close_if_idle() = 0;
  virtual void close() = 0;
};

enum class Admission : std::uint8_t {
  admitted,
  turned_away,  ///< over the limit on connections: gets 503 and no more
};

/// Answers that go out in one write. One for all connections of a reactor, so that its memory is reused; it holds
/// nothing from one of them to the next.
struct ReadyAnswers {
  RequestRecord& add();

  std::string text;
  std::string body;  ///< of the answer being made
  std::size_t sent_bytes = 0;
  std::size_t count = 0;  ///< of `records`; the others are kept for their memory
  std::vector<RequestRecord> records;
};

/// What a connection lives in. Everything outlives it.
struct Surroundings {
  EventLoop& loop;
  Workers& workers;  ///< for scoring that would hold the loop up
  std::unordered_set<LiveConnection*>& live;
  ReadyAnswers& ready;
  RequestLog& log;
  KeyCheck& keys;
  Shared& shared;
};

/// Takes over `socket`, which is connected and counted in shared.connections; uncounts it when done.
/// REQUIRES: called on the loop's thread.
void serve(const Surroundings& surroundings, int socket, Admission admission);

}  // namespace dropscore::http
