#include "azure/token_cache.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "azure/token.h"
#include "base/log.h"

namespace dropscore::azure {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds renew_ahead{5 * 60};
constexpr seconds long_lifetime{2 * 60 * 60};
constexpr seconds pause_after_failure{30};  ///< while the old token is still good
constexpr milliseconds longest_wait{60'000};

}  // namespace

TokenCache::TokenCache(std::unique_ptr<TokenSource> source, std::function<Clock::time_point()> now)
    : source_(std::move(source)), now_(std::move(now)) {}

Status TokenCache::authorize(Draft& draft, const Deadline& deadline) {
  DROPSCORE_TRY(const std::string value, token(deadline));
  draft.headers.push_back({"Authorization", "Bearer " + value});
  return {};
}

bool TokenCache::refused() {
  const std::lock_guard lock(mutex_);
  held_.reset();
  return true;
}

Result<std::string> TokenCache::token(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const Clock::time_point now = now_();
    if (held_ && now < held_->renew_at) return held_->value;
    if (!fetching_) return fetch(lock, deadline);
    if (held_ && now < held_->end) return held_->value;
    const std::uint64_t before = fetches_;
    if (!fetched_.wait_for(lock, deadline.left(longest_wait), [&] { return fetches_ != before; })) {
      return fail(ErrorKind::try_later, "another request's token did not come in time");
    }
    if (failed_) return tl::unexpected(*failed_);
  }
}

Result<std::string> TokenCache::fetch(std::unique_lock<std::mutex>& lock, const Deadline& deadline) {
  fetching_ = true;
  lock.unlock();
  Result<Token> fetched = source_->fetch(deadline);
  lock.lock();
  fetching_ = false;
  ++fetches_;
  fetched_.notify_all();
  failed_.reset();
  if (fetched) {
    held_ = held_from(*std::move(fetched));
    return held_->value;
  }
  const Clock::time_point now = now_();
  if (held_ && now < held_->end) {
    log::warning("token_not_renewed", {{"source", kind()}, {"error", fetched.error().detail.text}});
    held_->renew_at = now + pause_after_failure;
    return held_->value;
  }
  // Who ran out of time has learnt nothing about the source: the others ask again.
  if (!deadline.passed()) failed_ = fetched.error();
  return tl::unexpected(std::move(fetched).error());
}

TokenCache::Held TokenCache::held_from(Token token) const {
  const seconds ahead = source_->renews_at_half() && token.lifetime >= long_lifetime
                            ? token.lifetime / 2
                            : std::min(renew_ahead, token.lifetime / 2);
  const Clock::time_point now = now_();
  return {std::move(token.value), now + token.lifetime - ahead, now + token.lifetime};
}

std::unique_ptr<Credential> token_credential(const Environment& environment, std::shared_ptr<net::HttpClient> client) {
  return std::make_unique<TokenCache>(find_token_source(environment, std::move(client)));
}

}  // namespace dropscore::azure
