// An answer that is not a success: RFC 9457's problem document, with the `success` and `error` that the original
// system's clients look for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "job/scorer.h"

namespace dropscore::http {

inline constexpr std::string_view problem_type = "application/problem+json";

struct Header {
  std::string_view name;  ///< a literal
  std::string value;
};

struct Problem {
  unsigned status = 500;
  std::string detail;                ///< what to mend, for the customer
  std::string errors_json;           ///< rows to blame, as a JSON array; empty where there are none
  std::vector<Header> headers = {};  ///< Allow, Retry-After, ...
};

/// "Not Found"; "Unknown" for a status this server never sends.
std::string_view reason_phrase(unsigned status);

/// The one place where what went wrong becomes a status.
unsigned status_of(ErrorKind kind);

/// The customer's text only; the operator's is for the log.
Problem problem_of(const Error& error);
Problem problem_of(const job::Refusal& refusal);

/// {"type","title","status","detail","success":false,"error","errors"?}
std::string problem_json(const Problem& problem);

}  // namespace dropscore::http
