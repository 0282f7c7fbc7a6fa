// Folders that results are written in, tried before the work begins: what is wrong with them is to be told at once, and
// not after hours of training or for each file anew.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace dropscore::app {

/// Makes a hidden file in the folder and takes it away. Errors: `not_found`; `try_later` (no right to, no room).
Status check_writable(const std::filesystem::path& folder);

/// A folder that is made where it is missing, and taken away again, with those above that were made for it, where
/// nothing lies in it in the end. Moves; owned by one thread.
class TriedFolder {
 public:
  /// Errors: `try_later` (not a folder, no right to make it or to write in it).
  static Result<TriedFolder> make(const std::filesystem::path& folder);
  /// The one that a file of this name is written in; none for the empty name, where no file was asked for. Errors: as
  /// above; also where a folder has the file's name.
  static Result<TriedFolder> make_for_file(const std::filesystem::path& file);

  TriedFolder(TriedFolder&&) = default;
  TriedFolder& operator=(TriedFolder&&) = delete;
  ~TriedFolder();

 private:
  TriedFolder() = default;
  std::vector<std::filesystem::path> made_;  // the innermost first
};

}  // namespace dropscore::app
