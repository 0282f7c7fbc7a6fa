#include "base/build_info.h"

#include <string_view>

#include <fmt/format.h>

namespace dropscore::build_info {
namespace {

constexpr std::string_view sanitizers = DROPSCORE_SANITIZERS;
#ifdef DROPSCORE_TRAINING
constexpr std::string_view parts_left_out;
#else
constexpr std::string_view parts_left_out = ", without training";
#endif

}  // namespace

const char* const version = DROPSCORE_VERSION;
const char* const build_type = DROPSCORE_BUILD_TYPE;
const char* const architecture = DROPSCORE_ARCHITECTURE;

std::string summary() {
  return fmt::format("{} (commit {}, {}, {}{}{}{})", version, commit, build_type, architecture, parts_left_out,
                     sanitizers.empty() ? "" : ", sanitizers ", sanitizers);
}

}  // namespace dropscore::build_info
