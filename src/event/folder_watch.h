// inotify on a folder and its subfolders: which file was closed by a writer or renamed into place.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/files.h"

namespace dropscore::event {

/// Used by one thread, except for wake().
class FolderWatch {
 public:
  struct Handlers {
    std::function<void(const std::string& name)> on_file;  ///< a blob's name; its content is new, or may be
    std::function<void()> on_missed;                       ///< events may have been lost: look at everything
  };

  FolderWatch(std::filesystem::path root, Handlers handlers);

  /// Watches every subfolder there is now, without telling of the files in them.
  void start();

  /// Waits at most `wait` for events, and handles those that came. A root folder that was taken away is looked for, and
  /// watched again once it is back, twice a second at most: so call it often.
  void run_once(std::chrono::milliseconds wait);

  /// Ends a run_once() that waits. From any thread.
  void wake();

 private:
  void watch_all();
  void check_root();
  /// Watches `folder` ("" or "a/b/") and those in it. `tell_files`: they came just now, perhaps before the watch did.
  void watch_tree(const std::string& folder, bool tell_files);
  bool watch_one(const std::string& folder);
  void drop_tree(const std::string& folder);
  void read_events();
  void handle(int watch, std::uint32_t mask, const std::string& leaf);
  void handle_folder(std::uint32_t mask, const std::string& name);
  void lose_everything();

  std::filesystem::path root_;
  Handlers handlers_;
  FileDescriptor inotify_;
  FileDescriptor waker_;
  std::unordered_map<int, std::string> folder_of_;
  std::unordered_map<std::string, int> watch_of_;
  bool root_lost_ = false;
  std::uint64_t root_device_ = 0;
  std::uint64_t root_inode_ = 0;
  std::chrono::steady_clock::time_point next_root_check_{};
  bool told_of_limit_ = false;
};

}  // namespace dropscore::event
