#include "job/model_source.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/limits.h"
#include "model/model.h"

namespace dropscore::job {
namespace {

class FolderModels final : public ModelSource {
 public:
  explicit FolderModels(const std::filesystem::path& folder)
      : path_(folder / model_document_name), where_(path_.string()) {}

  Result<std::optional<ModelDocument>> fetch(std::string_view known) override {
    struct stat found = {};
    // The path anew each time: a link on the way may lead elsewhere by now.
    if (::stat(path_.c_str(), &found) != 0) return io_error("look at", path_, errno);
    ModelDocument document{{}, tag_of(found)};
    if (document.tag == known) return std::nullopt;
    DROPSCORE_TRY(document.text, read_file(path_, limits::max_model_bytes));
    return document;
  }

  bool may_be_unfinished() const override { return true; }
  const std::string& where() const override { return where_; }
  Error nothing_there() const override {
    return {ErrorKind::misuse, CustomerText{"no model was found where this program was told to look"},
            OperatorText{fmt::format("no model at {}: name a folder that `dropscore train DATA.csv --out FOLDER` has "
                                     "written",
                                     where_)}};
  }

 private:
  static std::string tag_of(const struct stat& file) {
    return fmt::format("{}:{}:{}:{}.{}:{}.{}", file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec,
                       file.st_mtim.tv_nsec, file.st_ctim.tv_sec, file.st_ctim.tv_nsec);
  }

  std::filesystem::path path_;
  std::string where_;
};

class StoredModels final : public ModelSource {
 public:
  StoredModels(std::shared_ptr<store::BlobStore> store, std::string_view prefix, std::string where)
      : store_(std::move(store)), name_(below(prefix, model_document_name)), where_(std::move(where)) {}

  Result<std::optional<ModelDocument>> fetch(std::string_view known) override {
    DROPSCORE_TRY(store::BlobProperties found, store_->properties(name_));
    if (found.info.etag == known) return std::nullopt;
    ModelDocument document{{}, std::move(found.info.etag)};
    DROPSCORE_TRY(document.text, store::read_all(*store_, name_, limits::max_model_bytes));
    return document;
  }

  bool may_be_unfinished() const override { return false; }
  const std::string& where() const override { return where_; }
  Error nothing_there() const override {
    return {ErrorKind::give_up, CustomerText{"no model was found where this program was told to look"},
            OperatorText{fmt::format("no model at {}: publish one with `dropscore publish MODEL_DIR URL`", where_)}};
  }

 private:
  std::shared_ptr<store::BlobStore> store_;
  std::string name_;
  std::string where_;
};

}  // namespace

std::unique_ptr<ModelSource> folder_models(const std::filesystem::path& folder) {
  return std::make_unique<FolderModels>(folder);
}

std::unique_ptr<ModelSource> stored_models(std::shared_ptr<store::BlobStore> store, std::string_view prefix,
                                           std::string where) {
  return std::make_unique<StoredModels>(std::move(store), prefix, std::move(where));
}

Result<std::shared_ptr<const model::Model>> parse_model(const ModelSource& source, const ModelDocument& document) {
  Result<std::shared_ptr<const model::Model>> model = model::Model::parse(document.text);
  if (!model) model.error().detail.text = fmt::format("{}: {}", source.where(), model.error().detail.text);
  return model;
}

Result<std::shared_ptr<const model::Model>> load_model(ModelSource& source) {
  const Result<std::optional<ModelDocument>> found = source.fetch({});
  if (found) return parse_model(source, **found);
  return tl::unexpected<Error>(found.error().kind == ErrorKind::not_found ? source.nothing_there() : found.error());
}

std::string below(std::string_view prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name);
}

}  // namespace dropscore::job
