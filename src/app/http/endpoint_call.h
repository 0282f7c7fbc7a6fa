// An endpoint's answer being made beside the reactors, by threads that may be blocked for as long as it takes. Whoever
// waits for an answer may give up waiting; the work then goes on without it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "app/http/endpoint.h"
#include "telemetry/trace_context.h"

namespace dropscore::http {

/// One request's answer, shared by the connection that waits for it and the thread that makes it. Owns all that the
/// answer is made from. Thread-safe where not stated otherwise.
class EndpointCall {
 public:
  EndpointCall(std::shared_ptr<const Endpoint> endpoint, std::shared_ptr<const RequestParser> parser, std::string body,
               telemetry::TraceContext trace)
      : endpoint_(std::move(endpoint)), parser_(std::move(parser)), body_(std::move(body)), trace_(std::move(trace)) {}

  /// Makes the answer, unless nobody waits for it any more. Once, by any thread.
  void run();
  /// Calls `resume` once: when the answer is there, or give_up() is called; at once where that has happened already.
  /// Called under a lock, so it must only pass the news on.
  void when_over(std::function<void()> resume);
  /// Nobody waits any more.
  void give_up();
  /// False where the answer is not there, after give_up(). Otherwise moves it out. Nothing of `resume` runs once this
  /// has returned.
  bool take_reply(EndpointReply& reply);

 private:
  void end();

  std::shared_ptr<const Endpoint> endpoint_;
  std::shared_ptr<const RequestParser> parser_;
  std::string body_;
  telemetry::TraceContext trace_;  ///< the request's, which its answer is made in

  std::mutex mutex_;
  EndpointReply reply_;
  bool answered_ = false;
  bool over_ = false;
  std::function<void()> resume_;
};

/// Threads that make answers, begun as they are needed. Thread-safe.
class EndpointThreads {
 public:
  explicit EndpointThreads(unsigned most);
  EndpointThreads(const EndpointThreads&) = delete;
  EndpointThreads& operator=(const EndpointThreads&) = delete;
  /// Ends the idle threads and waits for them; one that is in a call ends after it, and is not waited for.
  ~EndpointThreads();

  /// Calls wait for a free thread in the order in which they came.
  void run(std::shared_ptr<EndpointCall> call);
  /// Of calls that are being made now.
  unsigned busy() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dropscore::http
