// Content hashes: XXH3 (128 bits) for ETags of local files, SHA-256 for the checksum of a model document, MD5 because
// Azure keeps it with a blob.
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

/// Incremental MD5 (RFC 1321). Not for security.
class Md5 {
 public:
  Md5();
  Md5(Md5&&) noexcept;
  Md5& operator=(Md5&&) noexcept;
  ~Md5();

  void update(std::string_view bytes);
  /// The base64 that Content-MD5 wants (RFC 1864), of everything given so far; may be asked again after more updates.
  std::string base64() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 lower-case hexadecimal digits (FIPS 180-4).
std::string sha256_hex(std::string_view bytes);

/// 128 random bits as 32 lower-case hexadecimal digits: a request's or an attempt's id. Thread-safe.
std::string random_id();

}  // namespace dropscore
