#include "event/lost_blobs.h"

namespace dropscore::event {

void LostBlobs::done(const std::string& blob, const std::string& etag) {
  const std::lock_guard lock(mutex_);
  done_[blob] = Done{etag, Clock::now(), true};
}

void LostBlobs::forget_done() {
  const std::lock_guard lock(mutex_);
  done_.clear();
}

bool LostBlobs::any_pending() const {
  const std::lock_guard lock(mutex_);
  return !pending_.empty();
}

void LostBlobs::begin(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
  for (auto& [blob, done] : done_) done.found = false;
}

void LostBlobs::found(const store::BlobInfo& blob) {
  const std::lock_guard lock(mutex_);
  if (const auto at = done_.find(blob.name); at != done_.end() && at->second.etag == blob.etag) {
    at->second.found = true;
    return;
  }
  const auto [at, is_new] = pending_.try_emplace(blob.name, Pending{blob, now_, now_, std::nullopt});
  if (!is_new && at->second.info.etag != blob.etag) at->second = Pending{blob, now_, now_, std::nullopt};
  at->second.last_found = now_;
}

void LostBlobs::end() {
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, [this](const auto& entry) { return entry.second.last_found != now_; });
  std::erase_if(done_, [this](const auto& entry) { return entry.second.at < now_ && !entry.second.found; });
}

std::vector<store::BlobInfo> LostBlobs::lost(bool queue_was_empty) const {
  const std::lock_guard lock(mutex_);
  std::vector<store::BlobInfo> lost;
  for (const auto& [name, pending] : pending_) {
    if (lost.size() == most_at_once) break;
    if (pending.told_at && now_ - *pending.told_at < patience_) continue;
    const auto waited = now_ - pending.since;
    if (waited >= patience_ || (queue_was_empty && waited > Clock::duration::zero())) lost.push_back(pending.info);
  }
  return lost;
}

void LostBlobs::told(const std::string& blob) {
  const std::lock_guard lock(mutex_);
  if (const auto at = pending_.find(blob); at != pending_.end()) at->second.told_at = now_;
}

}  // namespace dropscore::event
