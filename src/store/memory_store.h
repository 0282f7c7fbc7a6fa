// A container in memory: for tests and for running a job without a disk. Passes the same contract suite.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace dropscore::store {

std::unique_ptr<BlobStore> make_memory_store(std::string container);

}  // namespace dropscore::store
