#include "event/held_messages.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace dropscore::event {

bool HeldMessages::add(Held held, Clock::time_point now) {
  const auto at = blobs_.try_emplace(held.blob).first;
  if (at->second.waiting != 0) {
    Held& waiting = held_.at(at->second.waiting);
    if (!waiting.lost) {
      // Which of two versions is the later one cannot be told: the taker has to look.
      if (waiting.etag != held.etag) waiting.etag.reset();
      return false;
    }
    line_.erase({at->second.due, at->second.waiting});
    held_.erase(at->second.waiting);
  }
  Blob& blob = at->second;
  blob.waiting = ++last_key_;
  blob.due = now;
  if (blob.in_work == 0) line_.emplace(blob.due, blob.waiting);
  held_.emplace(blob.waiting, std::move(held));
  return true;
}

std::optional<Envelope> HeldMessages::hand_out(Clock::time_point now) {
  while (!line_.empty() && line_.begin()->first <= now) {
    const Key key = line_.begin()->second;
    line_.erase(line_.begin());
    const Held& held = held_.at(key);
    const auto blob = blobs_.find(held.blob);
    blob->second.waiting = 0;
    if (held.lost) {  // somebody else's by now
      blobs_.erase(blob);
      held_.erase(key);
      continue;
    }
    blob->second.in_work = key;
    Envelope envelope;
    envelope.blob = held.blob;
    envelope.etag = held.etag;
    envelope.event_time = held.event_time;
    envelope.attempt = static_cast<int>(std::clamp<std::int64_t>(held.message.dequeue_count, 1, 1'000'000));
    envelope.receipt = fmt::format("{}", key);
    envelope.trace = held.trace;
    envelope.message_id = held.message.id;
    return envelope;
  }
  return std::nullopt;
}

HeldMessages::Clock::time_point HeldMessages::next_due() const {
  return line_.empty() ? Clock::time_point::max() : line_.begin()->first;
}

std::size_t HeldMessages::ready(Clock::time_point now) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(line_, [now](const auto& entry) { return entry.first <= now; }));
}

std::optional<HeldMessages::Key> HeldMessages::key_of(const Envelope& envelope) {
  Key key = 0;
  const std::string& text = envelope.receipt;
  const auto [last, wrong] = std::from_chars(text.data(), text.data() + text.size(), key);
  if (wrong != std::errc() || last != text.data() + text.size()) return std::nullopt;
  return key;
}

HeldMessages::Held* HeldMessages::find(Key key) {
  const auto at = held_.find(key);
  return at == held_.end() ? nullptr : &at->second;
}

HeldMessages::Held* HeldMessages::find(const Envelope& envelope) {
  const std::optional<Key> key = key_of(envelope);
  const auto blob = blobs_.find(envelope.blob);
  if (!key || blob == blobs_.end() || blob->second.in_work != *key) return nullptr;
  return find(*key);
}

void HeldMessages::end(Key key, Clock::time_point not_before) {
  const auto at = held_.find(key);
  if (at == held_.end()) return;
  const auto blob = blobs_.find(at->second.blob);
  held_.erase(at);
  Blob& state = blob->second;
  if (state.in_work == key) {
    state.in_work = 0;
    state.due = not_before;
    if (state.waiting != 0) line_.emplace(state.due, state.waiting);
  } else {
    if (state.in_work == 0) line_.erase({state.due, key});
    state.waiting = 0;
  }
  if (state.in_work == 0 && state.waiting == 0) blobs_.erase(blob);
}

std::optional<HeldMessages::Key> HeldMessages::next_renewal() const {
  std::optional<Key> first;
  Clock::time_point when = Clock::time_point::max();
  for (const auto& [key, held] : held_) {
    if (held.lost || held.in_use || held.renew_at >= when) continue;
    first = key;
    when = held.renew_at;
  }
  return first;
}

std::vector<HeldMessages::Key> HeldMessages::keys() const {
  std::vector<Key> all;
  for (const auto& [key, held] : held_) all.push_back(key);
  return all;
}

std::vector<HeldMessages::Key> HeldMessages::waiting_keys() const {
  std::vector<Key> all;
  for (const auto& [name, blob] : blobs_) {
    if (blob.waiting != 0) all.push_back(blob.waiting);
  }
  return all;
}

}  // namespace dropscore::event
