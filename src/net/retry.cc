#include "net/retry.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "net/http_date.h"
#include "telemetry/heartbeat.h"

namespace dropscore::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_hurried_wait{2'000};
constexpr std::int64_t most_asked_ms = 24LL * 60 * 60 * 1000;  ///< what a server may ask for before it is cut

/// `text` times `unit_ms`; empty where it is no whole number.
std::optional<milliseconds> whole(std::string_view text, std::int64_t unit_ms) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || failed == std::errc::invalid_argument) return std::nullopt;
  const auto most = static_cast<std::uint64_t>(most_asked_ms / unit_ms);
  if (failed == std::errc::result_out_of_range || number > most) return milliseconds(most_asked_ms);
  return milliseconds(static_cast<std::int64_t>(number) * unit_ms);
}

double random_fraction() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

/// False where it ended early.
bool sleep(milliseconds delay, const std::stop_token& hurried) {
  if (delay <= longest_hurried_wait) {
    std::this_thread::sleep_for(delay);
    return true;
  }
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, hurried, delay, [] { return false; });
  return !hurried.stop_requested();
}

}  // namespace

Status RetryPolicy::validate() const {
  if (max_tries < 1 || max_tries > 100) return fail(ErrorKind::misuse, "retries: 1 to 100 tries");
  if (first_delay < milliseconds(0) || max_delay < first_delay) {
    return fail(ErrorKind::misuse, "retries: the first delay is negative, or over the longest");
  }
  if (budget <= milliseconds(0)) return fail(ErrorKind::misuse, "retries: no time");
  return {};
}

bool is_transient(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::optional<milliseconds> retry_after(const Exchange& response, std::chrono::system_clock::time_point now) {
  for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    const std::optional<std::string_view> value = response.header(name);
    if (const auto asked = value ? whole(*value, 1) : std::nullopt) return asked;
  }
  const std::optional<std::string_view> value = response.header("retry-after");
  if (!value) return std::nullopt;
  if (const auto asked = whole(*value, 1000)) return asked;
  const auto date = parse_http_date(*value, now);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::duration_cast<milliseconds>(*date - now), milliseconds(0),
                    milliseconds(most_asked_ms));
}

Retry::Retry(const RetryPolicy& policy, const Deadline& deadline, std::stop_token hurried,
             std::function<double()> random)
    : policy_(policy),
      deadline_(deadline.within(policy.budget)),
      hurried_(std::move(hurried)),
      random_(random ? std::move(random) : &random_fraction) {}

std::optional<milliseconds> Retry::next_delay(std::optional<milliseconds> server_asked) {
  if (tries_ >= policy_.max_tries) return std::nullopt;
  milliseconds delay = policy_.max_delay;
  if (server_asked) {
    delay = std::clamp(*server_asked, milliseconds(0), policy_.max_delay);
  } else {
    double wanted_ms = static_cast<double>(policy_.first_delay.count()) * (0.8 + 0.5 * random_());
    for (int i = 1; i < tries_; ++i) wanted_ms *= 2;
    if (wanted_ms < static_cast<double>(policy_.max_delay.count())) delay = milliseconds(std::llround(wanted_ms));
  }
  const bool fits = deadline_.left(delay + milliseconds(1)) > delay;
  return fits ? std::optional(delay) : std::nullopt;
}

bool Retry::wait(std::optional<milliseconds> server_asked) {
  const std::optional<milliseconds> delay = next_delay(server_asked);
  if (!delay) return false;
  telemetry::beat();
  if (!sleep(*delay, hurried_)) return false;
  telemetry::beat();
  ++tries_;
  return true;
}

}  // namespace dropscore::net
