#include "app/operations/health.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "telemetry/heartbeat.h"

namespace dropscore::operations {
namespace {

/// A report being written.
class Checks {
 public:
  Checks(std::string_view good, std::string_view bad) : good_(good), bad_(bad), json_(checks_) { json_.begin_object(); }

  void add(std::string_view name, const CheckResult& result) {
    json_.key(name).begin_object();
    json_.member("ok", result.ok).member("detail", result.detail).end_object();
    ok_ = ok_ && result.ok;
  }
  Report end() {
    json_.end_object();
    Report report{ok_, {}};
    JsonWriter json(report.json);
    json.begin_object().member("status", ok_ ? good_ : bad_).key("checks").raw(checks_);
    json.end_object();
    return report;
  }

 private:
  std::string_view good_;
  std::string_view bad_;
  bool ok_ = true;
  std::string checks_;
  JsonWriter json_;
};

CheckResult all_threads_get_on() {
  const std::vector<telemetry::Silence> all = telemetry::silences();
  const auto stuck = std::ranges::count_if(all, &telemetry::Silence::too_long);
  if (stuck == 0) return {true, fmt::format("{} watched", all.size())};
  const telemetry::Silence& worst = all.front();
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  return {false,
          fmt::format("{} of {} are stuck; a {} thread for {} s, its limit being {} s", stuck, all.size(), worst.name,
                      duration_cast<seconds>(worst.lasted).count(), duration_cast<seconds>(worst.limit).count())};
}

}  // namespace

Health::Health(bool needs_model) : needs_model_(needs_model) {
  gauge_.emplace([this] { telemetry::set(telemetry::Metric::ready, ready().ok ? 1 : 0); });
}

void Health::needs(std::string name, Check check) {
  const std::lock_guard lock(mutex_);
  parts_.push_back({std::move(name), std::move(check)});
}

void Health::forget_parts() {
  const std::lock_guard lock(mutex_);
  parts_.clear();
}

Report Health::live() const {
  Checks checks("live", "stuck");
  checks.add("threads", all_threads_get_on());
  return checks.end();
}

Report Health::ready() const {
  Checks checks("ready", "not_ready");
  if (needs_model_) {
    const bool loaded = telemetry::has_model();
    checks.add("model", {loaded, loaded ? "loaded" : "none is loaded yet"});
  }
  checks.add("started", {started_, started_ ? "yes" : "not yet"});
  checks.add("serving", {!draining_, draining_ ? "stopping" : "yes"});
  const std::lock_guard lock(mutex_);
  for (const Part& part : parts_) checks.add(part.name, part.check());
  return checks.end();
}

}  // namespace dropscore::operations
