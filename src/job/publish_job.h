// A model put where running programs look for it: kept under its version, then put in the place of the one before.
// docs/models.md
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace dropscore::model {
class Model;
}

namespace dropscore::job {

struct Published {
  std::string version;
  std::string before;  ///< the version that it took the place of; empty where there was none, or it cannot be told
};

/// Writes PREFIX/versions/VERSION/model.json, unless it is there, then PREFIX/model.json, on the condition that nobody
/// else did since this one looked. Publishing what is published changes nothing. Errors: `changed` (somebody else
/// published just now), and the store's.
Result<Published> publish_model(store::BlobStore& store, std::string_view prefix, const model::Model& model);

}  // namespace dropscore::job
