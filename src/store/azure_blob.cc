#include "store/azure_blob.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/utf8.h"

namespace dropscore::store {
namespace {

constexpr std::string_view metadata_prefix = "x-ms-meta-";
constexpr std::string_view empty_value = "%00";

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

std::string metadata_value_to_wire(std::string_view value) {
  if (value.empty()) return std::string(empty_value);
  const bool survives = is_printable_ascii(value) && value.front() != ' ' && value.back() != ' ';
  if (survives && metadata_value_from_wire(value) == value) return std::string(value);
  return net::percent_encoded(value);
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Result<std::vector<net::Header>> metadata_headers(const Metadata& metadata) {
  DROPSCORE_CHECK(validate_metadata(metadata));
  std::vector<net::Header> headers;
  std::size_t total = 0;
  for (const auto& [key, value] : metadata) {
    headers.push_back({fmt::format("{}{}", metadata_prefix, key), metadata_value_to_wire(value)});
    total += key.size() + headers.back().value.size();
  }
  if (total > max_metadata_bytes) {
    return fail(ErrorKind::misuse,
                fmt::format("metadata of {} bytes once encoded are over {}", total, max_metadata_bytes));
  }
  return headers;
}

std::string metadata_value_from_wire(std::string_view value) {
  if (value == empty_value) return {};
  if (value.find('%') == std::string_view::npos) return std::string(value);
  Result<std::string> decoded = net::percent_decoded(value);
  // A lone '%' is somebody's plain text.
  return decoded && is_utf8(*decoded) ? *std::move(decoded) : std::string(value);
}

Metadata metadata_of(const std::vector<net::Header>& headers) {
  Metadata metadata;
  for (const net::Header& header : headers) {
    const std::string name = lower_case(header.name);
    if (!name.starts_with(metadata_prefix) || name.size() == metadata_prefix.size()) continue;
    metadata[name.substr(metadata_prefix.size())] = metadata_value_from_wire(header.value);
  }
  return metadata;
}

std::string_view content_type_of(std::string_view name) {
  const std::string lower = lower_case(name.substr(name.size() - std::min<std::size_t>(name.size(), 5)));
  if (lower.ends_with(".json")) return "application/json";
  if (lower.ends_with(".csv")) return "text/csv";
  return "application/octet-stream";
}

bool is_etag(std::string_view etag) {
  return !etag.empty() && is_printable_ascii(etag) && etag.find('"') == std::string_view::npos;
}

bool is_failed_condition(const azure::StorageReply& reply) {
  const std::string& code = reply.error_code;
  if (reply.status == 412) return code.empty() || code == "ConditionNotMet" || code == "TargetConditionNotMet";
  return reply.status == 409 && code == "BlobAlreadyExists";
}

Error blob_error(std::string_view operation, std::string_view path, const azure::StorageReply& reply) {
  Error error = azure::unexpected_reply(operation, path, reply);
  const std::string& code = reply.error_code;
  if (reply.status == 404 && code == "ContainerNotFound") {
    error.kind = ErrorKind::try_later;
    error.customer.text = "the container does not exist";
  } else if (reply.status == 404) {
    error.kind = ErrorKind::not_found;
    error.customer.text = "there is no such blob";
  } else if (is_failed_condition(reply)) {
    error.kind = ErrorKind::changed;
    error.customer.text = "the blob has changed";
  } else if (reply.status == 409 || reply.status == 412) {
    error.kind = ErrorKind::try_later;
    error.customer.text = "the blob cannot be used at the moment";
  } else if (reply.status == 400 && (code == "InvalidResourceName" || code == "InvalidUri")) {
    error.kind = ErrorKind::reject;
    error.customer.text = "a blob cannot have such a name";
  }
  return error;
}

tl::unexpected<Error> has_changed() { return fail(ErrorKind::changed, "the blob has changed"); }

tl::unexpected<Error> strange_answer(std::string_view operation, std::string_view path, std::string_view what) {
  return fail(ErrorKind::try_later, CustomerText{"the blob store gave an answer that makes no sense"},
              OperatorText{fmt::format("{} {}: {}", operation, path, what)});
}

Result<BlobHead> head_blob(AzureContainer& container, std::string_view name,
                           const std::optional<std::string>& if_match) {
  constexpr std::string_view operation = "Get Blob Properties";
  azure::StorageRequest request;
  request.method = "HEAD";
  request.path = container.path_of(name);
  if (if_match) request.headers.push_back({"If-Match", azure::quoted_etag(*if_match)});
  DROPSCORE_TRY(const azure::StorageReply reply, container.client.call(request));
  if (!reply.ok()) return tl::unexpected<Error>(blob_error(operation, request.path, reply));
  const std::string etag = azure::unquoted_etag(reply.header("ETag").value_or(""));
  const std::optional<std::uint64_t> size = parse_count(reply.header("Content-Length").value_or(""));
  if (etag.empty() || !size) return strange_answer(operation, request.path, "no ETag or no length");
  return BlobHead{BlobProperties{BlobInfo{std::string(name), etag, *size}, metadata_of(reply.headers)},
                  std::string(reply.header("Content-MD5").value_or(""))};
}

Error missing_or_changed(AzureContainer& container, std::string_view name, Error error) {
  if (error.kind != ErrorKind::changed) return error;
  const Result<BlobHead> found = head_blob(container, name);
  return found ? error : found.error();
}

std::optional<std::uint64_t> parse_count(std::string_view digits) {
  std::uint64_t count = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return count;
}

}  // namespace dropscore::store
