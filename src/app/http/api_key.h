// The keys that a server asks for. A request brings one as X-API-Key, or as a bearer token (RFC 6750, 2.1). Several are
// valid at a time, so that a new one can be handed out before the old one ends. What is kept of a key is its SHA-256,
// and digests are compared in constant time: how long an answer takes says nothing of a key's length or beginning.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/http/request_parser.h"
#include "base/result.h"

struct evp_md_ctx_st;

namespace dropscore::http {

inline constexpr std::size_t min_key_bytes = 16;
inline constexpr std::size_t max_key_bytes = 128;
inline constexpr std::size_t max_keys = 16;

/// The keys of a text that separates them by commas or line breaks, each of min_key_bytes to max_key_bytes visible
/// ASCII characters, without the blanks around them. `origin` names the text in errors, which hold nothing of it.
/// Errors: `misuse`: no key, too many, or one that is none.
Result<std::vector<std::string>> read_keys(std::string_view text, std::string_view origin);

using KeyDigests = std::vector<std::array<unsigned char, 32>>;

/// The keys that are valid now. Thread-safe.
class KeyRing {
 public:
  /// REQUIRES: at least one key, here and in replace().
  explicit KeyRing(const std::vector<std::string>& keys) { replace(keys); }
  /// From here on these are valid, and no others.
  void replace(const std::vector<std::string>& keys);
  std::size_t size() const { return digests()->size(); }

  std::shared_ptr<const KeyDigests> digests() const;
  /// Another number after each replace().
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyDigests> digests_;
  std::atomic<std::uint64_t> version_{0};
};

/// Holds requests against a ring's keys. Of one thread.
class KeyCheck {
 public:
  /// Without a ring, everybody may ask.
  explicit KeyCheck(std::shared_ptr<const KeyRing> ring);

  enum class Verdict : std::uint8_t { admitted, no_key, wrong_key };
  /// Where both headers bring a key, one that is valid is enough: a proxy may add an Authorization of its own.
  Verdict judge(const RequestHead& head);

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };
  bool knows(std::string_view key);

  std::shared_ptr<const KeyRing> ring_;
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
  std::shared_ptr<const KeyDigests> digests_;
  std::uint64_t version_ = 0;
};

}  // namespace dropscore::http
