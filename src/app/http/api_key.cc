#include "app/http/api_key.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "app/http/negotiation.h"

namespace dropscore::http {
namespace {

using Digest = KeyDigests::value_type;

bool visible(char c) { return c > ' ' && c <= '~'; }

Status check_key(std::string_view key, std::size_t number, std::string_view origin) {
  if (key.size() < min_key_bytes || key.size() > max_key_bytes) {
    return fail(ErrorKind::misuse, fmt::format("key {} of {} has {} characters, and must have {} to {}; a good one: "
                                               "openssl rand -hex 24",
                                               number, origin, key.size(), min_key_bytes, max_key_bytes));
  }
  if (!std::all_of(key.begin(), key.end(), visible)) {
    return fail(ErrorKind::misuse, fmt::format("key {} of {} holds a space or a character beyond ASCII, which a header "
                                               "does not carry; a good one: openssl rand -hex 24",
                                               number, origin));
  }
  return {};
}

Digest digest_of(evp_md_ctx_st* context, std::string_view key) {
  Digest digest{};
  if (EVP_DigestInit_ex(context, nullptr, nullptr) != 1 || EVP_DigestUpdate(context, key.data(), key.size()) != 1 ||
      EVP_DigestFinal_ex(context, digest.data(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

evp_md_ctx_st* sha256_context() {
  evp_md_ctx_st* const context = EVP_MD_CTX_new();
  if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(context);
    throw std::runtime_error("SHA-256 is not available");
  }
  return context;
}

/// What follows "Bearer "; empty where the credentials are of another kind.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return {};
  return trimmed(authorization.substr(scheme.size()));
}

}  // namespace

Result<std::vector<std::string>> read_keys(std::string_view text, std::string_view origin) {
  std::vector<std::string> keys;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",\r\n"), text.size());
    const std::string_view key = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (key.empty()) continue;
    DROPSCORE_CHECK(check_key(key, keys.size() + 1, origin));
    if (keys.size() == max_keys) {
      return fail(ErrorKind::misuse, fmt::format("{} holds more than {} keys", origin, max_keys));
    }
    keys.emplace_back(key);
  }
  if (keys.empty()) return fail(ErrorKind::misuse, fmt::format("{} holds no key", origin));
  return keys;
}

void KeyRing::replace(const std::vector<std::string>& keys) {
  const std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context(sha256_context(), EVP_MD_CTX_free);
  auto digests = std::make_shared<KeyDigests>();
  for (const std::string& key : keys) digests->push_back(digest_of(context.get(), key));
  const std::lock_guard lock(mutex_);
  digests_ = std::move(digests);
  version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const KeyDigests> KeyRing::digests() const {
  const std::lock_guard lock(mutex_);
  return digests_;
}

void KeyCheck::FreeContext::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

KeyCheck::KeyCheck(std::shared_ptr<const KeyRing> ring) : ring_(std::move(ring)) {
  if (ring_) context_.reset(sha256_context());
}

bool KeyCheck::knows(std::string_view key) {
  if (const std::uint64_t now = ring_->version(); now != version_) {
    digests_ = ring_->digests();
    version_ = now;
  }
  const Digest digest = digest_of(context_.get(), key);
  bool known = false;
  for (const Digest& valid : *digests_) known |= CRYPTO_memcmp(digest.data(), valid.data(), digest.size()) == 0;
  return known;
}

KeyCheck::Verdict KeyCheck::judge(const RequestHead& head) {
  if (!ring_) return Verdict::admitted;
  Verdict verdict = Verdict::no_key;
  for (const std::string_view key : {head.api_key, bearer_token(head.authorization)}) {
    if (key.empty()) continue;
    if (knows(key)) return Verdict::admitted;
    verdict = Verdict::wrong_key;
  }
  return verdict;
}

}  // namespace dropscore::http
