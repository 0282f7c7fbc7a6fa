#include "app/http/request_log.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"

namespace dropscore::http {
namespace {

constexpr std::size_t max_request_id_bytes = 128;

/// SplitMix64 (Steele, Lea, Flood 2014), twice, from a random start for each thread. Neither half repeats within 2^64
/// ids of a thread; the system's own random numbers took a twentieth of a request.
class Ids {
 public:
  Ids() {
    const std::string start = random_id();
    for (std::size_t i = 0; i < 2; ++i)
      std::from_chars(start.data() + 16 * i, start.data() + 16 * (i + 1), state_[i], 16);
  }
  void next(std::string& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    id.resize(32);
    char* at = id.data();
    for (std::uint64_t& state : state_) {
      std::uint64_t bits = mixed(state += 0x9e3779b97f4a7c15);
      for (int i = 0; i < 16; ++i, bits >>= 4U) *at++ = digits[bits & 15U];
    }
  }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
    return z ^ (z >> 31U);
  }
  std::array<std::uint64_t, 2> state_{};
};

}  // namespace

std::string_view known_method(std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "other";
}

void set_request_id(std::string& id, std::string_view asked_for) {
  thread_local Ids ids;
  const bool usable = !asked_for.empty() && asked_for.size() <= max_request_id_bytes &&
                      std::all_of(asked_for.begin(), asked_for.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (usable) {
    id = asked_for;
  } else {
    ids.next(id);
  }
}

std::string request_id(std::string_view asked_for) {
  std::string id;
  set_request_id(id, asked_for);
  return id;
}

void log_request(log::Gathered& lines, const RequestRecord& request) {
  const std::chrono::duration<double, std::milli> duration = std::chrono::steady_clock::now() - request.begun;
  lines.info("request", {{"method", request.method},
                         {"path", request.path},
                         {"status", request.status},
                         {"bytes_in", request.body_bytes},
                         {"bytes_out", request.sent_bytes},
                         {"rows", request.counts.scored},
                         {"rejected", request.counts.rejected},
                         {"duration_ms", duration.count()},
                         {"aborted", request.aborted},
                         {"request_id", request.id}});
}

}  // namespace dropscore::http
