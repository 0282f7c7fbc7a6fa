#include "store/local_metadata.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <simdjson.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "store/local_paths.h"
#include "store/local_publish.h"
#include "store/local_store.h"

namespace dropscore::store {
namespace {

constexpr std::string_view format_name = "dropscore/blob-metadata/1";
constexpr std::string_view ending = ".json";
constexpr std::size_t max_readable_part_bytes = 200;
constexpr std::size_t max_document_bytes = 256 << 10;  // two versions of 8 KiB, escaped

struct Version {
  std::string etag;
  Metadata metadata;
};

struct Document {
  std::string blob;
  std::vector<Version> versions;
};

std::filesystem::path meta_folder(const std::filesystem::path& folder) { return folder / bookkeeping_folder / "meta"; }

/// NAME.json where that is a file name no other blob can need: not too long, and no folder called x.json, which may be
/// the document of a blob called x. Otherwise a hash behind a '~', which begins no blob's name.
std::string document_name(std::string_view name) {
  bool readable = true;
  for (std::string_view rest = name; readable;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    readable = part.size() <= max_readable_part_bytes;
    if (slash == std::string_view::npos) break;
    readable = readable && !part.ends_with(ending);
    rest.remove_prefix(slash + 1);
  }
  std::string document = readable ? std::string(name) : "~" + content_hash_hex(name);
  document.append(ending);
  return document;
}

std::filesystem::path document_path(const std::filesystem::path& folder, std::string_view name) {
  return meta_folder(folder) / document_name(name);
}

simdjson::error_code parse(std::string_view text, Document& document) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root)) return error;
  std::string_view value;
  if (const auto error = root["format"].get(value)) return error;
  if (value != format_name) return simdjson::INCORRECT_TYPE;
  if (const auto error = root["blob"].get(value)) return error;
  document.blob = value;
  simdjson::dom::array versions;
  if (const auto error = root["versions"].get(versions)) return error;
  for (const simdjson::dom::element element : versions) {
    Version version;
    if (const auto error = element["etag"].get(value)) return error;
    version.etag = value;
    simdjson::dom::object metadata;
    if (const auto error = element["metadata"].get(metadata)) return error;
    for (const auto& [key, member] : metadata) {
      if (const auto error = member.get(value)) return error;
      version.metadata.emplace(key, value);
    }
    document.versions.push_back(std::move(version));
  }
  return simdjson::SUCCESS;
}

/// Empty where there is none. A document that cannot be read counts as none: the blob is then one without metadata,
/// which every caller has to expect, and the next write mends it.
Document read_document(const std::filesystem::path& path) {
  const Result<std::string> text = read_file(path, max_document_bytes);
  if (!text) {
    if (text.error().kind != ErrorKind::not_found) {
      log::warning("metadata_unreadable", {{"error", text.error().detail.text}});
    }
    return {};
  }
  Document document;
  if (const auto error = parse(*text, document)) {
    log::warning("metadata_unreadable", {{"path", path.string()}, {"error", simdjson::error_message(error)}});
    return {};
  }
  return document;
}

std::string to_json(std::string_view name, const std::vector<Version>& versions) {
  std::string text;
  JsonWriter json(text, 2);
  json.begin_object().member("format", format_name).member("blob", name).key("versions").begin_array();
  for (const Version& version : versions) {
    json.begin_object().member("etag", version.etag).key("metadata").begin_object();
    for (const auto& [key, value] : version.metadata) json.member(key, value);
    json.end_object().end_object();
  }
  json.end_array().end_object();
  text.push_back('\n');
  return text;
}

std::optional<Metadata> find_version(const Document& document, std::string_view name, std::string_view etag) {
  if (document.blob != name) return std::nullopt;
  for (const Version& version : document.versions) {
    if (version.etag == etag) return version.metadata;
  }
  return std::nullopt;
}

/// True only where the system says so: a fault of I/O is no reason to forget anything.
bool is_gone(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/// The blob that a document of this name relative to the meta folder speaks of.
std::string blob_of(const std::filesystem::path& meta, const std::string& document) {
  if (document.starts_with('~')) return read_document(meta / document).blob;
  return document.substr(0, document.size() - ending.size());
}

}  // namespace

bool has_metadata(const std::filesystem::path& folder, std::string_view name) {
  return !is_gone(document_path(folder, name));
}

Metadata read_metadata(const std::filesystem::path& folder, std::string_view name, std::string_view etag) {
  return find_version(read_document(document_path(folder, name)), name, etag).value_or(Metadata{});
}

Status keep_metadata(const std::filesystem::path& folder, std::string_view name, std::string_view etag,
                     const Metadata& metadata, std::string_view present) {
  std::vector<Version> versions{{std::string(etag), metadata}};
  if (!present.empty() && present != etag) {
    auto kept = find_version(read_document(document_path(folder, name)), name, present);
    if (kept) versions.push_back({std::string(present), *std::move(kept)});
  }
  const std::string document = document_name(name);
  DROPSCORE_CHECK(open_bookkeeping(folder, "meta"));
  DROPSCORE_TRY(const FileDescriptor target, open_parent(meta_folder(folder), document, true));
  DROPSCORE_TRY(TempFile file, TempFile::create(folder));
  DROPSCORE_CHECK(file.write(to_json(name, versions)));
  DROPSCORE_CHECK(file.sync());
  return file.replace(target.get(), leaf_of(document));
}

void forget_metadata(const std::filesystem::path& folder, std::string_view name) {
  ::unlink(document_path(folder, name).c_str());
}

void forget_orphaned_metadata(const std::filesystem::path& folder) {
  const std::filesystem::path meta = meta_folder(folder);
  std::error_code failed;
  std::vector<std::string> orphans;
  for (std::filesystem::recursive_directory_iterator at(meta, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::string document = at->path().lexically_relative(meta).string();
    if (!document.ends_with(ending) || at->is_directory(failed)) continue;
    std::string blob = blob_of(meta, document);
    if (is_blob_name(blob) && is_gone(folder / blob)) orphans.push_back(std::move(blob));
  }
  for (const std::string& blob : orphans) {
    // Looked at again under the lock: metadata are written a moment before their blob.
    const auto lock = NameLock::acquire(folder, blob);
    if (lock && is_gone(folder / blob)) forget_metadata(folder, blob);
  }
}

}  // namespace dropscore::store
