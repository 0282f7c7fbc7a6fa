// Where models are published: a folder, or a container of blobs. Asked again and again for what lies there now.
// docs/models.md
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace dropscore::model {
class Model;
}

namespace dropscore::job {

/// The document's name in a model folder, and behind a container's prefix.
inline constexpr std::string_view model_document_name = "model.json";

struct ModelDocument {
  std::string text;
  /// Changes whenever the document does: an ETag, a file's identity. The text is of this version or, where the document
  /// is being replaced right now, of a later one.
  std::string tag;
};

/// Of one thread at a time.
class ModelSource {
 public:
  ModelSource() = default;
  ModelSource(const ModelSource&) = delete;
  ModelSource& operator=(const ModelSource&) = delete;
  virtual ~ModelSource() = default;

  /// What lies there, unless its tag is `known`: then nothing is read. Errors: `not_found`, `too_large`, `try_later`,
  /// `changed`.
  virtual Result<std::optional<ModelDocument>> fetch(std::string_view known) = 0;

  /// True where a document may be seen before its writer is done with it.
  virtual bool may_be_unfinished() const = 0;

  /// For logs and errors: no query, no credential.
  virtual const std::string& where() const = 0;
  /// What to say where there is no model at a start: what to mend.
  virtual Error nothing_there() const = 0;
};

/// `folder`/model.json, through whatever symbolic links lead there at the time of asking.
std::unique_ptr<ModelSource> folder_models(const std::filesystem::path& folder);

/// PREFIX/model.json of `store`; at the container's root where `prefix` is empty. `where`: as ModelSource::where().
std::unique_ptr<ModelSource> stored_models(std::shared_ptr<store::BlobStore> store, std::string_view prefix,
                                           std::string where);

/// Of what fetch() gave. Errors: `give_up` (damaged, unknown version or member), naming the place.
Result<std::shared_ptr<const model::Model>> parse_model(const ModelSource& source, const ModelDocument& document);

/// The model that lies there now. Errors: those of fetch() and parse_model(), and nothing_there().
Result<std::shared_ptr<const model::Model>> load_model(ModelSource& source);

/// "PREFIX/name", or the name alone.
std::string below(std::string_view prefix, std::string_view name);

}  // namespace dropscore::job
