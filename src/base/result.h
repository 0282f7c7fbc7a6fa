// Result<T>: a value, or an Error whose kind names the caller's next move.
//
// Thread-safety: plain values; share them as any value. Nothing in the project throws across a room's border.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace dropscore {

/// What the caller should do next. Mapped to an HTTP status, an exit code or a queue verdict only in app/.
enum class ErrorKind {
  reject,  ///< The customer has to mend the input; waiting cannot help. Answer, write an error document, never retry.
  too_large,  ///< The input passes a stated limit. As `reject`, but the customer should split it.
  not_found,  ///< The thing asked for is not there (any more).
  changed,    ///< It changed while in use, or somebody else published first: begin again from the new state.
  try_later,  ///< A fault of I/O, network or store that waiting may mend: retry, a limited number of times.
  misuse,     ///< The operator's options or configuration are wrong: say so and stop.
  give_up,    ///< Damaged or impossible state (a broken model file, a full disk on start): log, alert, stop.
};

/// The kind's stable name, for logs and documents: "reject", "too_large", ...
std::string_view name(ErrorKind kind);

/// Text that a customer may read. Never holds paths, credentials or another customer's data.
struct CustomerText {
  std::string text;
};

/// Text for the operator's log. Never holds customers' data or credentials.
struct OperatorText {
  std::string text;
};

struct Error {
  ErrorKind kind = ErrorKind::give_up;
  CustomerText customer;
  OperatorText detail;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// An error with one text that both may read.
inline tl::unexpected<Error> fail(ErrorKind kind, std::string text) {
  return tl::unexpected<Error>(Error{kind, CustomerText{text}, OperatorText{std::move(text)}});
}

/// An error whose operator detail (an errno, a path, a request id) is not for the customer.
inline tl::unexpected<Error> fail(ErrorKind kind, CustomerText customer, OperatorText detail) {
  return tl::unexpected<Error>(Error{kind, std::move(customer), std::move(detail)});
}

/// Passes an Error on to the caller, whatever the value type was.
template <class T>
tl::unexpected<Error> pass_on(Result<T>&& result) {
  return tl::unexpected<Error>(std::move(result).error());
}

}  // namespace dropscore

/// Returns the error of a Status (or any Result whose value is not wanted) to the caller.
#define DROPSCORE_CHECK(expression)                                                     \
  do {                                                                                  \
    if (auto dropscore_status = (expression); !dropscore_status)                        \
      return ::tl::unexpected<::dropscore::Error>(std::move(dropscore_status).error()); \
  } while (false)

#define DROPSCORE_CONCAT_(a, b) a##b
#define DROPSCORE_CONCAT(a, b) DROPSCORE_CONCAT_(a, b)

/// DROPSCORE_TRY(auto x, f()): x is f()'s value, or the error is returned to the caller.
#define DROPSCORE_TRY(declaration, expression)                                                                     \
  auto DROPSCORE_CONCAT(dropscore_result_, __LINE__) = (expression);                                               \
  if (!DROPSCORE_CONCAT(dropscore_result_, __LINE__))                                                              \
    return ::tl::unexpected<::dropscore::Error>(std::move(DROPSCORE_CONCAT(dropscore_result_, __LINE__)).error()); \
  declaration = *std::move(DROPSCORE_CONCAT(dropscore_result_, __LINE__))
