#include "job/live_model.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/logged_ms.h"
#include "model/model.h"
#include "telemetry/metrics.h"

namespace dropscore::job {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds start_pause{1000};  // between looks at a start

// What is said of models, all of it: here each event is logged, and counted.

void tell_waiting(const ModelSource& source, const Error& error) {
  log::warning("waiting_for_model", {{"where", source.where()}, {"error", error.detail.text}});
}

void tell_loaded(const ModelSource& source, const model::Model& model) {
  telemetry::model_loaded(model.version(), model.predictor().family());
  log::info("model_loaded", {{"model_version", model.version()}, {"where", source.where()}});
}

void tell_reloaded(const ModelSource& source, const model::Model& from, const model::Model& to,
                   std::chrono::duration<double, std::milli> took) {
  const ColumnChanges columns = compare_columns(from, to);
  if (columns.any()) {
    log::warning("model_columns_changed", {{"from", from.version()},
                                           {"to", to.version()},
                                           {"added", fmt::format("{}", fmt::join(columns.added, ", "))},
                                           {"removed", fmt::format("{}", fmt::join(columns.removed, ", "))},
                                           {"retyped", fmt::format("{}", fmt::join(columns.retyped, ", "))}});
  }
  if (from.schema().target.column != to.schema().target.column) {
    log::warning("model_target_changed", {{"from", from.schema().target.column}, {"to", to.schema().target.column}});
  }
  telemetry::model_loaded(to.version(), to.predictor().family());
  log::info(
      "model_reloaded",
      {{"from", from.version()}, {"to", to.version()}, {"where", source.where()}, {"duration_ms", logged_ms(took)}});
}

void tell_refused(const ModelSource& source, const model::Model& kept, const Error& error) {
  telemetry::model_reload_failed();
  log::error("model_refused",
             {{"where", source.where()}, {"error", error.detail.text}, {"model_version", kept.version()}});
}

/// Waits as long as waiting may help.
Result<ModelDocument> first_document(ModelSource& source, milliseconds wait) {
  const Deadline deadline = Deadline::in(wait);
  for (bool told = false;; told = true) {
    Result<std::optional<ModelDocument>> found = source.fetch({});
    if (found) return **std::move(found);
    const bool nothing = found.error().kind == ErrorKind::not_found;
    Error error = nothing ? source.nothing_there() : std::move(found).error();
    const bool may_pass = nothing || error.kind == ErrorKind::try_later || error.kind == ErrorKind::changed;
    if (!may_pass || deadline.passed()) return tl::unexpected<Error>(std::move(error));
    if (!told) tell_waiting(source, error);
    std::this_thread::sleep_for(deadline.left(start_pause));
  }
}

}  // namespace

ColumnChanges compare_columns(const model::Model& from, const model::Model& to) {
  ColumnChanges changes;
  const auto find = [](const model::Model& model, const std::string& name) -> const schema::Feature* {
    const auto& features = model.schema().features;
    const auto at = std::find_if(features.begin(), features.end(), [&](const auto& f) { return f.name == name; });
    return at == features.end() ? nullptr : &*at;
  };
  for (const schema::Feature& feature : to.schema().features) {
    const schema::Feature* const before = find(from, feature.name);
    if (before == nullptr) {
      changes.added.push_back(feature.name);
    } else if (before->kind != feature.kind) {
      changes.retyped.push_back(feature.name);
    }
  }
  for (const schema::Feature& feature : from.schema().features) {
    if (find(to, feature.name) == nullptr) changes.removed.push_back(feature.name);
  }
  return changes;
}

Result<std::shared_ptr<LiveModel>> LiveModel::start(std::unique_ptr<ModelSource> source,
                                                    const LiveModelOptions& options) {
  DROPSCORE_TRY(const ModelDocument document, first_document(*source, options.wait_at_start));
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> model, parse_model(*source, document));
  tell_loaded(*source, *model);
  return std::shared_ptr<LiveModel>(new LiveModel(std::move(source), options, document, model));
}

LiveModel::LiveModel(std::unique_ptr<ModelSource> source, const LiveModelOptions& options,
                     const ModelDocument& document, const std::shared_ptr<const model::Model>& model)
    : source_(std::move(source)), interval_(options.interval), slot_(model), settled_(document.tag), thread_([this] {
        run();
      }) {}

LiveModel::~LiveModel() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool LiveModel::stop_within(milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [this] { return ended_; });
}

void LiveModel::look_now() {
  const std::lock_guard lock(mutex_);
  look_wanted_ = true;
  changed_.notify_all();
}

void LiveModel::run() {
  const auto news = [this] { return stopping_ || look_wanted_; };
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (interval_ > milliseconds(0)) {
      changed_.wait_for(lock, interval_, news);
    } else {
      changed_.wait(lock, news);
    }
    if (stopping_) break;
    const bool told = std::exchange(look_wanted_, false);
    lock.unlock();
    if (told) settled_.clear();
    look();
    lock.lock();
  }
  ended_ = true;
  changed_.notify_all();
}

void LiveModel::look() {
  const Result<std::optional<ModelDocument>> found = source_->fetch(settled_);
  // Once may be the moment between two renames.
  if (!found && ++failures_ < 2) return;
  faults_.note(found ? Status() : Status(tl::unexpected<Error>(found.error())));
  if (!found) {
    telemetry::model_refresh_failed();
    return;
  }
  failures_ = 0;
  if (*found) take(**found);
}

void LiveModel::take(const ModelDocument& document) {
  const Clock::time_point begun = Clock::now();
  const std::shared_ptr<const model::Model> before = slot_.model();
  if (document.text == before->document()) {
    settled_ = document.tag;
    return;
  }
  const Result<std::shared_ptr<const model::Model>> model = parse_model(*source_, document);
  if (!model && source_->may_be_unfinished() && document.tag != std::exchange(unfinished_, document.tag)) {
    log::debug("model_unfinished", {{"where", source_->where()}});  // its writer may be at it; taken again
    return;
  }
  settled_ = document.tag;
  if (!model) {
    tell_refused(*source_, *before, model.error());
    return;
  }
  if ((*model)->version() == before->version()) return;  // blanks outside the body
  slot_.replace(*model);
  tell_reloaded(*source_, *before, **model, Clock::now() - begun);
}

}  // namespace dropscore::job
