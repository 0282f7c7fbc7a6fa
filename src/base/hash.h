// Content hashes: XXH3 (128 bits) for ETags of local files, SHA-256 for the checksum of a model document.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace dropscore {

/// Incremental XXH3-128. Not for security: an ETag tells versions of a file apart, nothing else.
class ContentHash {
 public:
  ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;
  ~ContentHash();

  void update(std::string_view bytes);
  /// 32 lower-case hexadecimal digits of everything given so far; may be asked again after more updates.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string content_hash_hex(std::string_view bytes);

/// 64 lower-case hexadecimal digits (FIPS 180-4).
std::string sha256_hex(std::string_view bytes);

/// 128 random bits as 32 lower-case hexadecimal digits: a request's or an attempt's id. Thread-safe.
std::string random_id();

}  // namespace dropscore
