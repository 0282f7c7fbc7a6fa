// What an answer says: its error code, and what that means for whoever asked.
#include <algorithm>

#include <fmt/format.h>

#include "azure/reply.h"
#include "azure/storage_client.h"
#include "azure/text.h"
#include "net/http_client.h"

#include <pugixml.hpp>

namespace dropscore::azure {
namespace {

/// A code is a word; anything else is not repeated in an error or a log.
bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

/// What the operator should look at.
std::string_view advice(const StorageReply& reply) {
  const std::string_view code = reply.error_code;
  if (code == "AuthorizationPermissionMismatch") {
    return "the identity or the signature lacks this right (roles: Storage Blob Data Contributor, Storage Queue Data "
           "Contributor; a new one takes minutes to arrive)";
  }
  if (code == "KeyBasedAuthenticationNotPermitted") return "the account takes no keys: use an identity";
  if (code == "AuthorizationFailure") return "no such right, a wrong key, or the account's firewall";
  if (code == "AuthenticationFailed") return "a wrong key, an expired signature, or a clock that is off";
  if (code == "InvalidAuthenticationInfo") return "the token is not for this account";
  if (code == "NoAuthenticationInformation") return "the request carried no credential";
  return "no right to do this";
}

}  // namespace

std::string error_code_of(const StorageReply& reply) {
  if (const auto code = reply.header("x-ms-error-code"); code && is_code(*code)) return std::string(*code);
  pugi::xml_document document;
  if (!document.load_buffer(reply.body.data(), reply.body.size())) return {};
  const std::string_view code = document.child("Error").child_value("Code");
  return is_code(code) ? std::string(code) : std::string();
}

std::string request_id_of(const StorageReply& reply) {
  const std::string_view id = reply.header("x-ms-request-id").value_or("");
  const bool is_id = id.size() <= 64 && id.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
  return is_id ? std::string(id) : std::string();
}

std::optional<std::string_view> StorageReply::header(std::string_view name) const {
  for (const net::Header& header : headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

Error unexpected_reply(std::string_view operation, std::string_view path, const StorageReply& reply) {
  const auto error = [&](ErrorKind kind, std::string_view customer, std::string_view more) {
    return Error{kind, CustomerText{std::string(customer)},
                 OperatorText{fmt::format("{} {}: {} {}{}{} (request {})", operation, path, reply.status,
                                          reply.error_code.empty() ? "without a code" : reply.error_code,
                                          more.empty() ? "" : ": ", more,
                                          reply.request_id.empty() ? "unknown" : reply.request_id)}};
  };
  switch (reply.status) {
    case 401:
    case 403: return error(ErrorKind::try_later, "the storage service gives no access", advice(reply));
    case 404: return error(ErrorKind::not_found, "it is not there (any more)", {});
    case 409:
    case 412: return error(ErrorKind::changed, "somebody else changed it", {});
    default: return error(ErrorKind::give_up, "the storage service refused", {});
  }
}

std::string blob_path(std::string_view container, std::string_view blob) {
  return fmt::format("/{}/{}", net::percent_encoded(container, "$"), net::percent_encoded(blob, "/"));
}

std::string unquoted_etag(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::string quoted_etag(std::string_view etag) { return fmt::format("\"{}\"", unquoted_etag(etag)); }

}  // namespace dropscore::azure
