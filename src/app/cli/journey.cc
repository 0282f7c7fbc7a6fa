#include "app/cli/journey.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/local_store.h"

namespace dropscore::app {
namespace {

/// True where `inner` is `outer` or lies within it.
bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto [end, unused] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

Status check_apart(const std::filesystem::path& input, const std::filesystem::path& output) {
  std::error_code failed;
  const auto whole = [&failed](const std::filesystem::path& path) {
    std::filesystem::path resolved = std::filesystem::weakly_canonical(path, failed);
    return resolved.has_filename() ? resolved : resolved.parent_path();  // "in/" is "in"
  };
  const std::filesystem::path in = whole(input);
  const std::filesystem::path out = whole(output);
  if (is_within(in, out) || is_within(out, in)) {
    return fail(ErrorKind::misuse,
                fmt::format("the input folder {} and the output folder {} are the same or one lies in the "
                            "other; results would be taken for input. Choose two folders side by side",
                            in.string(), out.string()));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Journey>> Journey::start(const JourneyOptions& options, FileScorerSource scorer) {
  DROPSCORE_CHECK(options.worker.validate());
  DROPSCORE_CHECK(options.inbox.validate());
  DROPSCORE_CHECK(check_apart(options.input, options.output));
  std::unique_ptr<Journey> journey(new Journey);
  DROPSCORE_TRY(journey->input_, store::open_local_store(options.input));
  DROPSCORE_TRY(journey->output_, store::open_local_store(options.output));
  const job::Containers stores{journey->input_.get(), journey->output_.get()};
  const auto is_pending = [stores, scorer, rescore = options.rescore](const store::BlobInfo& blob) -> Result<bool> {
    std::optional<std::string> model;
    if (rescore) {
      DROPSCORE_TRY(model, scorer()->model_version());
    }
    return job::is_pending(stores, blob, model);
  };
  DROPSCORE_TRY(journey->inbox_, event::open_local_inbox(options.input, *journey->input_, is_pending, options.inbox));
  journey->worker_ = std::make_unique<Worker>(stores, *journey->inbox_, std::move(scorer), options.worker);
  return journey;
}

}  // namespace dropscore::app
