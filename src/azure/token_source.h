// Where a token comes from: one request to one of Microsoft Entra's endpoints.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "azure/account.h"
#include "base/deadline.h"
#include "base/result.h"
#include "net/http_client.h"
#include "net/retry.h"

namespace dropscore::azure {

/// A credential: never in a log or an error.
struct Token {
  std::string value;
  std::chrono::seconds lifetime{0};  ///< from when it was fetched; over 0
};

/// Used by one thread at a time.
class TokenSource {
 public:
  TokenSource() = default;
  TokenSource(const TokenSource&) = delete;
  TokenSource& operator=(const TokenSource&) = delete;
  virtual ~TokenSource() = default;

  /// With its own tries. Errors: `try_later`, naming the source and what it answered.
  virtual Result<Token> fetch(const Deadline& deadline) = 0;
  virtual std::string_view kind() const = 0;
  /// The platform keeps a token of its own for a day: ours is renewed at half its time, where it is long.
  virtual bool renews_at_half() const = 0;
};

/// Waits between tries; tests shorten them.
struct TokenTiming {
  std::chrono::milliseconds first_delay{1'000};      ///< doubled for each further try
  std::chrono::milliseconds updating_delay{10'000};  ///< IMDS is being updated (410)
  std::chrono::milliseconds budget{80'000};
};

/// The first that `environment` describes; IMDS where it describes none. The variables are read here, once.
std::unique_ptr<TokenSource> find_token_source(const Environment& environment, std::shared_ptr<net::HttpClient> client,
                                               const TokenTiming& timing = {});

/// Of {"access_token": ..., "expires_in" or "expires_on": a number or its text}. Errors: `try_later`, without the text.
Result<Token> parse_token(std::string_view json, std::chrono::system_clock::time_point now);

/// What may be told of a refusal: "invalid_client AADSTS7000215", from the lists of known codes; may be empty.
std::string refusal_code(std::string_view json);

}  // namespace dropscore::azure
