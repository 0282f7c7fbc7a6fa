// Runs a test once for each generation of processors that the kernels are compiled for and this machine can run, the
// plainest (one number a register) included, and sets the choice back.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace dropscore::testing {

/// body() with each target chosen in turn. Not for two threads at once.
template <class Body>
void on_each_target(const Body& body) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace dropscore::testing
