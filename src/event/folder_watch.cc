#include "event/folder_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local_store.h"

namespace dropscore::event {
namespace {

constexpr std::chrono::milliseconds root_check_interval{500};

// IN_MOVE_SELF and IN_DELETE_SELF would tell only what the parent's events, IN_IGNORED and check_root() tell as well.
constexpr std::uint32_t watched_events =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK;

std::string why(int error_number) { return std::strerror(error_number); }  // NOLINT(concurrency-mt-unsafe)

}  // namespace

FolderWatch::FolderWatch(std::filesystem::path root, Handlers handlers)
    : root_(std::move(root)), handlers_(std::move(handlers)), waker_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void FolderWatch::start() {
  next_root_check_ = std::chrono::steady_clock::now() + root_check_interval;
  watch_all();
}

void FolderWatch::watch_all() {
  // A new queue: whatever the old one still holds speaks of watches that are gone.
  folder_of_.clear();
  watch_of_.clear();
  inotify_ = FileDescriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  root_lost_ = true;
  if (!inotify_.valid()) {
    const std::string reason = why(errno);
    if (!std::exchange(told_of_limit_, true)) log::warning("watch_impossible", {{"reason", reason}});
    return;
  }
  struct stat status {};
  if (::stat(root_.c_str(), &status) != 0) return;
  root_device_ = status.st_dev;
  root_inode_ = status.st_ino;
  watch_tree("", false);
  root_lost_ = !watch_of_.contains("");
}

bool FolderWatch::watch_one(const std::string& folder) {
  // The root may be a link, as the operator likes; below it the store follows none, nor does the watch.
  const std::uint32_t events = folder.empty() ? watched_events : watched_events | IN_DONT_FOLLOW;
  // With a '/' behind it a link would be followed after all.
  const std::filesystem::path path = folder.empty() ? root_ : root_ / folder.substr(0, folder.size() - 1);
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events);
  if (watch < 0) {
    // Gone again, or no folder: nothing to watch. Anything else leaves a part of the tree to the sweeps.
    const bool worth_telling = errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
    if (worth_telling && !std::exchange(told_of_limit_, true)) {
      log::warning("watch_incomplete",
                   {{"folder", path.string()},
                    {"reason", errno == ENOSPC ? "the limit fs.inotify.max_user_watches is reached" : why(errno)},
                    {"instead", "sweeps find the files"}});
    }
    return false;
  }
  // One folder has one watch: seen under a second name, it was renamed and its old name is void.
  if (const auto known = folder_of_.find(watch); known != folder_of_.end()) watch_of_.erase(known->second);
  folder_of_[watch] = folder;
  watch_of_[folder] = watch;
  return true;
}

void FolderWatch::watch_tree(const std::string& folder, bool tell_files) {
  std::vector<std::string> folders{folder};
  while (!folders.empty()) {
    const std::string prefix = std::move(folders.back());
    folders.pop_back();
    // First the watch, then the look: a file that comes in between is seen twice rather than never.
    if (!watch_one(prefix) && !tell_files) continue;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(root_ / prefix, failed), end; !failed && at != end;
         at.increment(failed)) {
      const std::string name = prefix + at->path().filename().string();
      if (!store::is_blob_name(name)) continue;
      std::error_code gone;
      if (std::filesystem::is_directory(at->symlink_status(gone))) {
        folders.push_back(name + "/");
      } else if (tell_files) {
        handlers_.on_file(name);
      }
    }
  }
}

void FolderWatch::drop_tree(const std::string& folder) {
  std::vector<std::pair<std::string, int>> dropped;
  for (const auto& entry : watch_of_) {
    if (entry.first.starts_with(folder)) dropped.push_back(entry);
  }
  for (const auto& [name, watch] : dropped) {
    ::inotify_rm_watch(inotify_.get(), watch);
    watch_of_.erase(name);
    folder_of_.erase(watch);
  }
}

void FolderWatch::lose_everything() {
  watch_all();
  handlers_.on_missed();
}

void FolderWatch::check_root() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_root_check_) return;
  next_root_check_ = now + root_check_interval;
  struct stat status {};
  const bool there = ::stat(root_.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  // Another folder by the same name: made anew, or mounted over, which no event tells of.
  const bool same = there && status.st_dev == root_device_ && status.st_ino == root_inode_;
  if (!there && !std::exchange(root_lost_, true)) {
    log::warning("input_folder_gone", {{"folder", root_.string()}});
  } else if (there && (root_lost_ || !same)) {
    watch_all();
    if (root_lost_) return;
    log::info("input_folder_back", {{"folder", root_.string()}});
    handlers_.on_missed();
  }
}

void FolderWatch::run_once(std::chrono::milliseconds wait) {
  check_root();
  std::array<pollfd, 2> sources{pollfd{inotify_.get(), POLLIN, 0}, pollfd{waker_.get(), POLLIN, 0}};
  const int timeout_ms = static_cast<int>(std::min(wait, root_check_interval).count());
  if (::poll(sources.data(), sources.size(), timeout_ms) <= 0) return;
  if ((sources[1].revents & POLLIN) != 0) {
    eventfd_t count = 0;
    ::eventfd_read(waker_.get(), &count);
  }
  if ((sources[0].revents & POLLIN) != 0) read_events();
}

void FolderWatch::wake() { ::eventfd_write(waker_.get(), 1); }

void FolderWatch::read_events() {
  alignas(inotify_event) std::array<char, 64UL * 1024> buffer;
  const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
  if (got <= 0) return;
  for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof(event));
    // The name is padded with NULs, so its length is up to the first.
    const char* const leaf = buffer.data() + at + sizeof(event);
    at += sizeof(event) + event.len;
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      // Folders may have come and gone unseen: begin again.
      log::warning("watch_overflow", {{"instead", "a sweep at once"}});
      return lose_everything();
    }
    handle(event.wd, event.mask, event.len == 0 ? std::string() : std::string(leaf));
  }
}

void FolderWatch::handle(int watch, std::uint32_t mask, const std::string& leaf) {
  const auto found = folder_of_.find(watch);
  // Of a folder that was moved away, or dropped with the one above it.
  if (found == folder_of_.end()) return;
  if ((mask & IN_IGNORED) != 0) {
    const bool was_root = found->second.empty();
    watch_of_.erase(found->second);
    folder_of_.erase(found);
    // Removed, or unmounted. check_root() says so, and brings it back.
    if (was_root) next_root_check_ = {};
    if (was_root) root_inode_ = 0;
    return;
  }
  if (leaf.empty()) return;
  const std::string name = found->second + leaf;
  if (!store::is_blob_name(name)) return;
  if ((mask & IN_ISDIR) != 0) {
    handle_folder(mask, name + "/");
  } else if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) {
    handlers_.on_file(name);
  }
}

void FolderWatch::handle_folder(std::uint32_t mask, const std::string& name) {
  if ((mask & IN_MOVED_FROM) != 0) {
    // Its files have no such names any more. Should it turn up elsewhere in the tree, it is watched as a new one.
    drop_tree(name);
  } else if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
    if ((mask & IN_MOVED_TO) != 0) drop_tree(name);
    watch_tree(name, true);
  }
}

}  // namespace dropscore::event
