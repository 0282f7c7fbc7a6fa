// Alone in its file: the linker takes it from the library only where nobody else has said what the commit is, as the
// program does (cmake/Commit.cmake).
#include "base/build_info.h"

namespace dropscore::build_info {

const char* const commit = "unknown";

}  // namespace dropscore::build_info
