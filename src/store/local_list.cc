#include "store/local_list.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/local_store.h"

namespace dropscore::store {
namespace {

constexpr std::size_t max_told = 1000;

struct Entry {
  std::string leaf;
  unsigned char type;
};

/// A folder's entries, read to the end before any is looked at: hashing takes long, and a half-read folder may show a
/// file that is renamed meanwhile twice.
Result<std::vector<Entry>> read_entries(int folder, const std::filesystem::path& path) {
  // A descriptor of its own, because closedir() closes it.
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return io_error("open", path, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(::fdopendir(own), ::closedir);
  if (!opened) {
    const FileDescriptor closes(own);
    return io_error("open", path, errno);
  }
  std::vector<Entry> entries;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());  // NOLINT(concurrency-mt-unsafe): the stream is ours alone
    if (entry == nullptr && errno != 0) return io_error("list", path, errno);
    if (entry == nullptr) return entries;
    entries.push_back({entry->d_name, entry->d_type});
  }
}

class Walk {
 public:
  Walk(const std::filesystem::path& root, EtagCache& etags, PassedOver& passed_over,
       const std::function<bool(const BlobInfo&)>& visit)
      : root_(root), etags_(etags), passed_over_(passed_over), visit_(visit) {}

  /// True where every blob was visited, false where `visit` ended it.
  Result<bool> run() {
    DROPSCORE_TRY(bool go_on, walk_folder(""));
    while (go_on && !folders_.empty()) {
      const std::string prefix = std::move(folders_.back());
      folders_.pop_back();
      const Result<bool> walked = walk_folder(prefix);
      if (walked) {
        go_on = *walked;
      } else if (walked.error().kind != ErrorKind::not_found) {
        passed_over_.tell(prefix, walked.error().detail.text);
      }
    }
    return go_on;
  }

 private:
  Result<bool> walk_folder(const std::string& prefix) {
    DROPSCORE_TRY(const FileDescriptor folder, open_parent(root_, prefix));
    DROPSCORE_TRY(const std::vector<Entry> entries, read_entries(folder.get(), root_ / prefix));
    for (const Entry& entry : entries) {
      std::string name = prefix + entry.leaf;
      if (!is_blob_name(name)) {
        const bool hidden = entry.leaf.front() == '.' || entry.leaf.front() == '~';
        if (!hidden && !validate_name(name)) passed_over_.tell(name, "its name is too long or not UTF-8");
        continue;
      }
      if (is_folder(folder.get(), entry)) {
        folders_.push_back(name + "/");
      } else if (auto info = look_at(folder.get(), entry, std::move(name)); info && !visit_(*info)) {
        return false;
      }
    }
    return true;
  }

  static bool is_folder(int folder, const Entry& entry) {
    if (entry.type != DT_UNKNOWN) return entry.type == DT_DIR;
    struct stat status {};
    return ::fstatat(folder, entry.leaf.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
  }

  std::optional<BlobInfo> look_at(int folder, const Entry& entry, std::string name) {
    struct stat status {};
    if (::fstatat(folder, entry.leaf.c_str(), &status, 0) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    const FileIdentity identity = FileIdentity::of(status);
    if (auto etag = etags_.find(identity)) {
      return BlobInfo{std::move(name), *std::move(etag), static_cast<std::uint64_t>(identity.size_bytes)};
    }
    Result<BlobInfo> hashed = hash(folder, entry, name);
    if (hashed) return *std::move(hashed);
    struct stat now {};
    const bool still_so = ::fstatat(folder, entry.leaf.c_str(), &now, 0) == 0 && FileIdentity::of(now) == identity;
    if (still_so) passed_over_.tell(name, hashed.error().detail.text);
    return std::nullopt;
  }

  Result<BlobInfo> hash(int folder, const Entry& entry, const std::string& name) {
    DROPSCORE_TRY(OpenedFile opened, open_regular(folder, entry.leaf, root_ / name));
    DROPSCORE_TRY(std::string etag, etags_.of(opened.file.get(), opened.identity, root_ / name));
    return BlobInfo{name, std::move(etag), static_cast<std::uint64_t>(opened.identity.size_bytes)};
  }

  const std::filesystem::path& root_;
  EtagCache& etags_;
  PassedOver& passed_over_;
  const std::function<bool(const BlobInfo&)>& visit_;
  std::vector<std::string> folders_;  ///< still to be walked, each with its '/' behind it
};

}  // namespace

void PassedOver::tell(const std::string& name, std::string_view why) {
  {
    const std::lock_guard lock(mutex_);
    if (told_.size() >= max_told || !told_.insert(name).second) return;
  }
  log::warning("file_passed_over", {{"file", name}, {"reason", why}});
}

Status list_folder(const std::filesystem::path& root, EtagCache& etags, PassedOver& passed_over,
                   const std::function<bool(const BlobInfo&)>& visit) {
  const std::uint64_t round = etags.start_round();
  const Result<bool> complete = Walk(root, etags, passed_over, visit).run();
  if (!complete) return fail(ErrorKind::try_later, complete.error().customer, complete.error().detail);
  if (*complete) etags.forget_before(round);
  return {};
}

}  // namespace dropscore::store
