#include "store/local_store.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/hash.h"
#include "store/local_etags.h"
#include "store/local_list.h"
#include "store/local_metadata.h"
#include "store/local_paths.h"
#include "store/local_publish.h"
#include "store/local_source.h"

namespace dropscore::store {
namespace {

/// The folder and what is known of its files; shared by the store and its writers.
struct Folder {
  std::filesystem::path root;
  EtagCache etags;
  PassedOver passed_over;
};

struct Found {
  OpenedFile opened;
  BlobInfo info;
};

Result<OpenedFile> open_blob(const Folder& folder, std::string_view name) {
  DROPSCORE_CHECK(validate_name(name));
  if (!is_blob_name(name)) return fail(ErrorKind::not_found, "no blob has such a name");
  DROPSCORE_TRY(const FileDescriptor parent, open_parent(folder.root, name));
  return open_regular(parent.get(), leaf_of(name), folder.root / name);
}

Result<Found> find_blob(Folder& folder, std::string_view name) {
  DROPSCORE_TRY(OpenedFile opened, open_blob(folder, name));
  DROPSCORE_TRY(std::string etag, folder.etags.of(opened.file.get(), opened.identity, folder.root / name));
  const std::uint64_t size_bytes = static_cast<std::uint64_t>(opened.identity.size_bytes);
  return Found{std::move(opened), BlobInfo{std::string(name), std::move(etag), size_bytes}};
}

tl::unexpected<Error> has_changed() { return fail(ErrorKind::changed, "the file is another version by now"); }

class LocalWriter : public BlobWriter {
 public:
  LocalWriter(Folder& folder, std::string_view name, WriteCondition condition, TempFile file)
      : folder_(folder), name_(name), condition_(std::move(condition)), file_(std::move(file)) {}

  Status write(std::string_view bytes) override {
    hash_.update(bytes);
    size_bytes_ += bytes.size();
    return file_.write(bytes);
  }

  /// The order in which things reach the disk is explained in docs/formats/local-store.md.
  Result<BlobInfo> commit(const Metadata& metadata) override {
    if (std::exchange(spent_, true)) return fail(ErrorKind::misuse, "the blob was committed already");
    DROPSCORE_CHECK(validate_metadata(metadata));
    DROPSCORE_CHECK(file_.sync());
    BlobInfo info{name_, hash_.hex(), size_bytes_};
    DROPSCORE_TRY(const NameLock lock, NameLock::acquire(folder_.root, name_));
    DROPSCORE_TRY(const FileDescriptor parent, open_parent(folder_.root, name_, true));
    DROPSCORE_TRY(const std::string present, check_condition(parent.get()));
    if (!metadata.empty() || has_metadata(folder_.root, name_)) {
      DROPSCORE_CHECK(keep_metadata(folder_.root, name_, info.etag, metadata, present));
    }
    const bool must_be_new = condition_.kind == WriteCondition::Kind::if_absent;
    const std::string_view leaf = leaf_of(name_);
    DROPSCORE_CHECK(must_be_new ? file_.place(parent.get(), leaf) : file_.replace(parent.get(), leaf));
    return info;
  }

 private:
  /// The ETag of what has the name now, empty where nothing has or where nobody needs to know.
  Result<std::string> check_condition(int parent) {
    const std::string leaf(leaf_of(name_));
    struct stat status {};
    const bool taken = ::fstatat(parent, leaf.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (taken && S_ISDIR(status.st_mode)) return fail(ErrorKind::reject, "a folder has the file's name");
    switch (condition_.kind) {
      case WriteCondition::Kind::if_absent:
        if (taken) return has_changed();
        return std::string();
      case WriteCondition::Kind::if_match: {
        DROPSCORE_TRY(std::string etag, present_etag());
        if (etag.empty() || etag != condition_.etag) return has_changed();
        return etag;
      }
      case WriteCondition::Kind::always: break;
    }
    // The present version keeps its metadata until it is replaced; to know which they are, its ETag is needed.
    if (taken && has_metadata(folder_.root, name_)) return present_etag();
    return std::string();
  }

  Result<std::string> present_etag() {
    auto found = find_blob(folder_, name_);
    if (found) return std::move(found->info.etag);
    if (found.error().kind == ErrorKind::not_found) return std::string();
    return pass_on(std::move(found));
  }

  Folder& folder_;
  std::string name_;
  WriteCondition condition_;
  TempFile file_;
  ContentHash hash_;
  std::uint64_t size_bytes_ = 0;
  bool spent_ = false;
};

class LocalStore : public BlobStore {
 public:
  explicit LocalStore(std::filesystem::path root) { folder_.root = std::move(root); }

  std::string container() const override { return folder_.root.filename().string(); }

  Status list(const std::function<bool(const BlobInfo&)>& visit) override {
    return list_folder(folder_.root, folder_.etags, folder_.passed_over, visit);
  }

  Result<BlobProperties> properties(std::string_view name) override {
    DROPSCORE_TRY(Found found, find_blob(folder_, name));
    Metadata metadata = read_metadata(folder_.root, name, found.info.etag);
    return BlobProperties{std::move(found.info), std::move(metadata)};
  }

  Result<std::unique_ptr<ByteSource>> open(std::string_view name, const std::optional<std::string>& if_match,
                                           std::uint64_t offset) override {
    DROPSCORE_TRY(OpenedFile opened, open_blob(folder_, name));
    if (if_match) {
      DROPSCORE_TRY(const std::string etag, folder_.etags.of(opened.file.get(), opened.identity, folder_.root / name));
      if (etag != *if_match) return has_changed();
    }
    return make_local_source(std::move(opened), if_match, offset, folder_.root / name);
  }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name, const WriteCondition& condition) override {
    DROPSCORE_CHECK(validate_name(name));
    // What the store would never list, it does not take: this also keeps its bookkeeping out of reach.
    if (!is_blob_name(name)) return fail(ErrorKind::reject, "a blob in a folder cannot have such a name");
    DROPSCORE_TRY(TempFile file, TempFile::create(folder_.root));
    return std::make_unique<LocalWriter>(folder_, name, condition, std::move(file));
  }

  Status remove(std::string_view name, const std::optional<std::string>& if_match) override {
    DROPSCORE_CHECK(open_blob(folder_, name));
    DROPSCORE_TRY(const NameLock lock, NameLock::acquire(folder_.root, name));
    if (if_match) {
      DROPSCORE_TRY(const Found found, find_blob(folder_, name));
      if (found.info.etag != *if_match) return has_changed();
    }
    DROPSCORE_TRY(const FileDescriptor parent, open_parent(folder_.root, name));
    const std::string leaf(leaf_of(name));
    if (::unlinkat(parent.get(), leaf.c_str(), 0) != 0) return io_error("remove", folder_.root / name, errno);
    if (::fsync(parent.get()) != 0) return io_error("sync", folder_.root / name, errno);
    forget_metadata(folder_.root, name);
    return {};
  }

 private:
  Folder folder_;
};

tl::unexpected<Error> not_usable(const std::filesystem::path& folder, std::string_view why) {
  return fail(ErrorKind::misuse, CustomerText{"the folder cannot be used"},
              OperatorText{fmt::format("{}: {}", folder.string(), why)});
}

}  // namespace

Result<std::unique_ptr<BlobStore>> open_local_store(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::path root = std::filesystem::absolute(folder, failed).lexically_normal();
  if (failed) return not_usable(folder, failed.message());
  if (!root.has_filename()) root = root.parent_path();
  std::filesystem::create_directories(root, failed);
  if (failed == std::errc::permission_denied) return io_error("make", root, EACCES);
  std::error_code unseen;
  if (!std::filesystem::is_directory(root, unseen)) {
    return not_usable(root, failed ? failed.message() : "is not a folder");
  }
  // Behind the slash, what lacks is looked for in the folder itself.
  if (::faccessat(AT_FDCWD, root.c_str(), R_OK | X_OK, AT_EACCESS) != 0) return io_error("read", root / "", errno);
  remove_dead_temp_files(root);
  forget_orphaned_metadata(root);
  return std::make_unique<LocalStore>(std::move(root));
}

}  // namespace dropscore::store
