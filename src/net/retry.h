// How often, and after what wait, a failed request is sent again: the policy of Azure's SDK for C++, and 429.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "net/http_client.h"

namespace dropscore::net {

struct RetryPolicy {
  int max_tries = 4;
  std::chrono::milliseconds first_delay{800};   ///< doubled for each further try, times a random 0.8 to 1.3
  std::chrono::milliseconds max_delay{60'000};  ///< also of what a server asks for
  std::chrono::milliseconds budget{180'000};    ///< of one operation with all its tries and waits
  Status validate() const;
};

/// 408, 429, 500, 502, 503, 504.
bool is_transient(int status);

/// What the server asked for: retry-after-ms or x-ms-retry-after-ms, else Retry-After in seconds or as an HTTP date
/// (RFC 9110, 10.2.3; all three date forms). Empty where there is none that can be read; a date that has passed is 0.
std::optional<std::chrono::milliseconds> retry_after(const Exchange& response,
                                                     std::chrono::system_clock::time_point now);

/// Counts the tries of one operation. One thread at a time.
///
///   Retry retry(policy, deadline);
///   for (;;) {
///     auto response = client.send(request);            // signed anew each time
///     if (response and not is_transient(status)) return ...;
///     if (!retry.wait(server_asked)) return fail(try_later, ...);
///   }
class Retry {
 public:
  /// `deadline` is the caller's; the policy's budget counts from now. `hurried`: a client's. `random` gives [0, 1); for
  /// tests.
  Retry(const RetryPolicy& policy, const Deadline& deadline, std::stop_token hurried = {},
        std::function<double()> random = {});

  /// Sleeps before the next try. False where there is none: tries used up, or the wait would pass the deadline (then it
  /// does not sleep at all), or somebody is in a hurry: then no more than 2 s are waited, and a longer wait that has
  /// begun ends.
  bool wait(std::optional<std::chrono::milliseconds> server_asked);
  /// The wait that wait() would make; empty where it would refuse.
  std::optional<std::chrono::milliseconds> next_delay(std::optional<std::chrono::milliseconds> server_asked);
  int tries() const { return tries_; }
  const Deadline& deadline() const { return deadline_; }

 private:
  RetryPolicy policy_;
  Deadline deadline_;
  std::stop_token hurried_;
  std::function<double()> random_;
  int tries_ = 1;
};

}  // namespace dropscore::net
