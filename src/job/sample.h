// Made-up customers with the 20 columns of the original's data set, for trying dropscore out without data of one's own.
// The numbers are invented: a model trained on them says nothing about anybody.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"

namespace dropscore::job {

struct SampleOptions {
  std::uint64_t rows = 8000;
  std::uint64_t seed = 42;
  bool labelled = true;  ///< with the Conversion column
};

/// Writes CSV, header first, in pieces of some 256 KiB to `write`, until done or `write` fails. Same options, same
/// bytes on every machine.
Status write_sample(const SampleOptions& options, const std::function<Status(std::string_view)>& write);

}  // namespace dropscore::job
