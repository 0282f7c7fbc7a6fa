#include "store/store.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/utf8.h"

namespace dropscore::store {
namespace {

bool is_metadata_key(std::string_view key) {
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !key.empty() && lower(key.front()) &&
         std::all_of(key.begin(), key.end(), [&](char c) { return lower(c) || digit(c); });
}

bool is_metadata_value(std::string_view value) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return is_utf8(value) && std::none_of(value.begin(), value.end(), control);
}

tl::unexpected<Error> bad_name(std::string_view why) {
  return fail(ErrorKind::reject, fmt::format("the blob's name {}", why));
}

}  // namespace

Status validate_name(std::string_view name) {
  if (name.empty()) return bad_name("is empty");
  if (name.size() > limits::max_blob_name_bytes) {
    return bad_name(fmt::format("is over {} bytes", limits::max_blob_name_bytes));
  }
  // A NUL would end the path early in every call of the system, and so name another file.
  if (name.find('\0') != std::string_view::npos) return bad_name("holds a NUL");
  if (!is_utf8(name)) return bad_name("is not UTF-8");
  for (std::string_view rest = name;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return bad_name("has an empty, \".\" or \"..\" part");
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Status validate_metadata(const Metadata& metadata) {
  std::size_t total = 0;
  for (const auto& [key, value] : metadata) {
    if (!is_metadata_key(key)) return fail(ErrorKind::misuse, fmt::format("\"{}\" is no key of metadata", key));
    if (!is_metadata_value(value)) {
      return fail(ErrorKind::misuse, fmt::format("metadata \"{}\" is not one line of UTF-8", key));
    }
    total += key.size() + value.size();
  }
  if (total > max_metadata_bytes) {
    return fail(ErrorKind::misuse, fmt::format("metadata of {} bytes are over {}", total, max_metadata_bytes));
  }
  return {};
}

Status BlobStore::list_with_metadata(const std::function<bool(const BlobProperties&)>& visit) {
  Status failed;
  DROPSCORE_CHECK(list([&](const BlobInfo& info) {
    const Result<BlobProperties> found = properties(info.name);
    if (found) return visit(*found);
    if (found.error().kind == ErrorKind::not_found) return true;  // gone meanwhile
    failed = tl::unexpected<Error>(found.error());
    return false;
  }));
  return failed;
}

Result<std::string> read_all(BlobStore& store, std::string_view name, std::size_t max_bytes) {
  DROPSCORE_TRY(const auto source, store.open(name, std::nullopt));
  std::string bytes;
  std::string chunk(64 * limits::kib, '\0');
  for (;;) {
    DROPSCORE_TRY(const std::size_t got, source->read(chunk));
    if (got == 0) return bytes;
    if (got > max_bytes - bytes.size()) {
      return fail(ErrorKind::too_large, fmt::format("the blob is over {} bytes", max_bytes));
    }
    bytes.append(chunk, 0, got);
  }
}

Result<BlobInfo> write_all(BlobStore& store, std::string_view name, std::string_view bytes,
                           const WriteCondition& condition, const Metadata& metadata) {
  DROPSCORE_TRY(const auto writer, store.create(name, condition));
  DROPSCORE_CHECK(writer->write(bytes));
  return writer->commit(metadata);
}

}  // namespace dropscore::store
