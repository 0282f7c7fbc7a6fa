// What this program was built from: for `dropscore --version`, the Server header, metrics and logs.
#pragma once

#include <string>

namespace dropscore::build_info {

/// What the file VERSION says: "0.2.0".
extern const char* const version;

/// Twelve digits of git's commit, "+changes" behind them where files of the checkout differed from it; what
/// DROPSCORE_COMMIT said at build time; "unknown" where there is neither. Only the program itself knows it: in tests it
/// is "unknown", so that a new commit links the program again and nothing else.
extern const char* const commit;

/// CMake's name: "Release", "RelWithDebInfo", "Debug".
extern const char* const build_type;

/// As `uname -m` says it: "x86_64".
extern const char* const architecture;

/// All of it in one line, as "0.2.0 (commit 0123456789ab, Release, x86_64)"; sanitizers, or that training is left out,
/// are named where it is so.
std::string summary();

}  // namespace dropscore::build_info
