# The commit that a program is built from, found out at each build and not only when CMake runs.
#
#   add_commit(TARGET)     gives TARGET a source of its own that defines build_info::commit
#
# The source is written anew only when its text changes, so that a build after a commit compiles one file and links TARGET.
# In this order: -DDROPSCORE_COMMIT=..., the environment's DROPSCORE_COMMIT (both for a build without a git checkout: an
# image, a tarball), git, "unknown". This same file is the script that runs at each build.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(DROPSCORE_COMMIT "" CACHE STRING "The commit to name in --version, where git cannot tell")

  function(add_commit TARGET)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/commit.cc)
    add_custom_target(${TARGET}_commit
      COMMAND ${CMAKE_COMMAND} -D SOURCE=${source} -D "ROOT=${CMAKE_SOURCE_DIR}" -D "DROPSCORE_COMMIT=${DROPSCORE_COMMIT}"
              -P ${CMAKE_SOURCE_DIR}/cmake/Commit.cmake
      BYPRODUCTS ${source} COMMENT "Which commit is this" VERBATIM)
    target_sources(${TARGET} PRIVATE ${source})
    add_dependencies(${TARGET} ${TARGET}_commit)
  endfunction()
  return()
endif()

set(commit "${DROPSCORE_COMMIT}")
if(commit STREQUAL "")
  set(commit "$ENV{DROPSCORE_COMMIT}")
endif()
if(commit STREQUAL "" AND EXISTS ${ROOT}/.git)  # not the checkout of another project that this one lies in
  # Without optional locks, another git at work is not disturbed; the folder may belong to somebody else than root.
  execute_process(COMMAND git --no-optional-locks -c safe.directory=${ROOT} describe --always --exclude=* --abbrev=12 --dirty=+changes
                  WORKING_DIRECTORY ${ROOT} OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit STREQUAL "")
  set(commit unknown)
endif()
if(NOT commit MATCHES "^[0-9A-Za-z.+_-]+$")
  message(FATAL_ERROR "DROPSCORE_COMMIT=${commit}: a commit is named by letters, digits and .+_-")
endif()
file(CONFIGURE OUTPUT ${SOURCE} @ONLY CONTENT [[
// Written at each build by cmake/Commit.cmake.
#include "base/build_info.h"

namespace dropscore::build_info {

const char* const commit = "@commit@";

}  // namespace dropscore::build_info
]])
