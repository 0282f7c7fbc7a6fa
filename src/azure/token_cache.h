// A token, kept until shortly before it ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "azure/credential.h"
#include "azure/token_source.h"

namespace dropscore::azure {

/// Sends a token of `source` as "Authorization: Bearer". One thread at a time fetches; others go on with the old token
/// while it is good, else they wait for the new one and share its error.
class TokenCache : public Credential {
 public:
  using Clock = std::chrono::steady_clock;

  /// `now` is for tests.
  explicit TokenCache(std::unique_ptr<TokenSource> source, std::function<Clock::time_point()> now = &Clock::now);

  Status authorize(Draft& draft, const Deadline& deadline) override;
  bool refused() override;
  std::string_view kind() const override { return source_->kind(); }

 private:
  struct Held {
    std::string value;
    Clock::time_point renew_at;
    Clock::time_point end;
  };

  Result<std::string> token(const Deadline& deadline);
  Result<std::string> fetch(std::unique_lock<std::mutex>& lock, const Deadline& deadline);
  Held held_from(Token token) const;

  const std::unique_ptr<TokenSource> source_;
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::condition_variable fetched_;
  bool fetching_ = false;
  std::uint64_t fetches_ = 0;    ///< that have ended
  std::optional<Error> failed_;  ///< how the last one ended
  std::optional<Held> held_;
};

}  // namespace dropscore::azure
