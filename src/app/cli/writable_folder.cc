#include "app/cli/writable_folder.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "base/hash.h"

namespace dropscore::app {

Status check_writable(const std::filesystem::path& folder) {
  const std::filesystem::path probe = folder / fmt::format(".{}.tmp", random_id());
  const FileDescriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return io_error("create", probe, errno);
  ::unlink(probe.c_str());
  return {};
}

Result<TriedFolder> TriedFolder::make(const std::filesystem::path& folder) {
  TriedFolder tried;
  std::error_code failed;
  std::filesystem::path missing = folder;
  while (!missing.empty() && !std::filesystem::exists(missing, failed) && !failed) {
    tried.made_.push_back(missing);
    missing = missing.parent_path();
  }
  std::filesystem::create_directories(folder, failed);
  if (failed) return io_error("make", folder, failed.value());
  DROPSCORE_CHECK(check_writable(folder));
  return tried;
}

Result<TriedFolder> TriedFolder::make_for_file(const std::filesystem::path& file) {
  if (file.empty()) return TriedFolder();
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return io_error("write", file, EISDIR);
  return make(file.has_parent_path() ? file.parent_path() : ".");
}

TriedFolder::~TriedFolder() {
  for (const std::filesystem::path& folder : made_) ::rmdir(folder.c_str());  // which spares one that holds something
}

}  // namespace dropscore::app
