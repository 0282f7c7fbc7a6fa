#include "job/publish_job.h"

#include <utility>

#include <fmt/format.h>

#include "job/model_source.h"
#include "model/model.h"

namespace dropscore::job {
namespace {

constexpr const char* version_key = "model_version";

Status keep(store::BlobStore& store, std::string_view prefix, const model::Model& model) {
  const std::string name = below(prefix, fmt::format("versions/{}/{}", model.version(), model_document_name));
  Result<store::BlobInfo> written = store::write_all(store, name, model.document(), store::WriteCondition::if_absent(),
                                                     {{version_key, model.version()}});
  if (!written && written.error().kind != ErrorKind::changed) return pass_on(std::move(written));
  return {};
}

}  // namespace

Result<Published> publish_model(store::BlobStore& store, std::string_view prefix, const model::Model& model) {
  DROPSCORE_CHECK(keep(store, prefix, model));
  const std::string name = below(prefix, model_document_name);
  Published published{model.version(), {}};
  store::WriteCondition condition = store::WriteCondition::if_absent();
  Result<store::BlobProperties> before = store.properties(name);
  if (before) {
    const auto version = before->metadata.find(version_key);
    if (version != before->metadata.end()) published.before = version->second;
    if (published.before == published.version) return published;
    condition = store::WriteCondition::if_match(before->info.etag);
  } else if (before.error().kind != ErrorKind::not_found) {
    return pass_on(std::move(before));
  }
  Result<store::BlobInfo> written =
      store::write_all(store, name, model.document(), condition, {{version_key, model.version()}});
  if (written) return published;
  if (written.error().kind == ErrorKind::changed) {
    return fail(ErrorKind::changed, fmt::format("somebody else published at the same time; version {} is kept, but "
                                                "not in use: see what is there, and publish again",
                                                model.version()));
  }
  return pass_on(std::move(written));
}

}  // namespace dropscore::job
