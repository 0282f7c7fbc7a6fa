#include "base/file_source.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/files.h"
#include "base/stop.h"

namespace dropscore {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(FileDescriptor file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::size_t> read(std::span<char> out) override {
    for (;;) {
      if (stop_requested()) return fail(ErrorKind::give_up, "stopped");
      const ssize_t got = ::read(file_.get(), out.data(), out.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return io_error("read", path_, errno);
    }
  }

 private:
  FileDescriptor file_;
  std::filesystem::path path_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_file_source(const std::filesystem::path& path) {
  FileDescriptor file(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return io_error("open", path, errno);
  return std::make_unique<FileSource>(std::move(file), path);
}

}  // namespace dropscore
