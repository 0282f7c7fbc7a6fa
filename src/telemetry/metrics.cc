#include "telemetry/metrics.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <variant>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/build_info.h"
#include "telemetry/heartbeat.h"
#include "telemetry/process_stats.h"

namespace dropscore::telemetry {
namespace {

template <class T>
using Family = prometheus::Family<T>;

using AnyFamily =
    std::variant<Family<prometheus::Counter>*, Family<prometheus::Gauge>*, Family<prometheus::Histogram>*>;

struct Kept {
  AnyFamily family;
  std::size_t series = 0;
};

/// Never destroyed: threads count until the process's last moment.
struct Store {
  Store();

  prometheus::Registry registry;
  std::mutex mutex;  ///< of what follows
  std::vector<Kept> kept;
  prometheus::Gauge* model = nullptr;

  std::mutex scrape_mutex;  ///< of what follows; held through a scrape
  std::map<std::uint64_t, std::function<void()>> readers;
  std::uint64_t last_reader = 0;
};

Store::Store() {
  for (const Description& each : metric_table()) {
    const std::string name(each.name);
    const std::string help(each.help);
    switch (each.type) {
      case Type::counter: kept.push_back({&prometheus::BuildCounter().Name(name).Help(help).Register(registry)}); break;
      case Type::gauge: kept.push_back({&prometheus::BuildGauge().Name(name).Help(help).Register(registry)}); break;
      case Type::histogram:
        kept.push_back({&prometheus::BuildHistogram().Name(name).Help(help).Register(registry)});
        break;
    }
  }
}

Store& store() {
  static Store& instance = *new Store;
  return instance;
}

prometheus::Labels labels_of(const Description& metric, LabelValues values) {
  prometheus::Labels labels;
  const auto* value = values.begin();
  for (const std::string_view name : metric.labels) {
    labels.emplace(name, value == values.end() ? std::string_view("other") : *value++);
  }
  return labels;
}

template <class T, class... Argument>
T& series(Metric metric, LabelValues values, const Argument&... arguments) {
  Store& to = store();
  const Description& what = description(metric);
  prometheus::Labels labels = labels_of(what, values);
  const std::lock_guard lock(to.mutex);
  Kept& kept = to.kept[static_cast<std::size_t>(metric)];
  Family<T>& family = *std::get<Family<T>*>(kept.family);
  if (!family.Has(labels)) {
    if (kept.series == most_series) {
      for (auto& [name, value] : labels) value = "other";
    } else {
      ++kept.series;
    }
  }
  return family.Add(labels, arguments...);
}

prometheus::Histogram& histogram_of(Metric metric, LabelValues values) {
  const std::span<const double> bounds = description(metric).buckets;
  return series<prometheus::Histogram>(metric, values,
                                       prometheus::Histogram::BucketBoundaries(bounds.begin(), bounds.end()));
}

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void read_process() {
  const ProcessStats now = process_stats();
  prometheus::Counter& cpu = series<prometheus::Counter>(Metric::process_cpu, {});
  cpu.Increment(now.cpu_seconds - cpu.Value());
  set(Metric::process_memory, now.resident_bytes);
  set(Metric::process_open_files, now.open_files);
  set(Metric::process_max_files, now.max_files);
  set(Metric::process_start_time, now.start_time_seconds);
  set(Metric::process_threads, now.threads);
  set(Metric::build_info, 1, {build_info::version, build_info::commit, build_info::build_type});
  set(Metric::memory_limit, now.memory_limit_bytes);
  std::chrono::milliseconds longest{0};
  for (const Silence& silence : silences()) longest = std::max(longest, silence.lasted);
  set(Metric::thread_silence, std::chrono::duration<double>(longest).count());
}

}  // namespace

void add(Metric counter, double amount, LabelValues labels) {
  series<prometheus::Counter>(counter, labels).Increment(amount);
}

void set(Metric gauge, double value, LabelValues labels) { series<prometheus::Gauge>(gauge, labels).Set(value); }

void change(Metric gauge, double by, LabelValues labels) { series<prometheus::Gauge>(gauge, labels).Increment(by); }

void observe(Metric histogram, double value, LabelValues labels) { histogram_of(histogram, labels).Observe(value); }

void Observations::flush(LabelValues labels) {
  histogram_of(metric_, labels).ObserveMultiple(counts_, sum_);
  counts_.assign(counts_.size(), 0.0);
  sum_ = 0;
}

void expose(Part part) {
  for (const Description& each : metric_table()) {
    if (each.part != part || !each.labels.empty()) continue;
    switch (each.type) {
      case Type::counter: add(each.metric, 0); break;
      case Type::gauge: change(each.metric, 0); break;
      case Type::histogram: histogram_of(each.metric, {}); break;
    }
  }
}

void model_loaded(std::string_view version, std::string_view kind) {
  prometheus::Gauge& loaded = series<prometheus::Gauge>(Metric::model_info, {version, kind});
  loaded.Set(1);
  {
    Store& to = store();
    const std::lock_guard lock(to.mutex);
    if (to.model != nullptr && to.model != &loaded) {
      Kept& kept = to.kept[static_cast<std::size_t>(Metric::model_info)];
      std::get<Family<prometheus::Gauge>*>(kept.family)->Remove(to.model);
      --kept.series;
    }
    to.model = &loaded;
  }
  set(Metric::model_loaded_at, unix_seconds());
  add(Metric::model_loads);
  add(Metric::model_reload_failures, 0);
  add(Metric::model_refresh_failures, 0);
}

void model_reload_failed() { add(Metric::model_reload_failures); }

void model_refresh_failed() { add(Metric::model_refresh_failures); }

bool has_model() {
  Store& of = store();
  const std::lock_guard lock(of.mutex);
  return of.model != nullptr;
}

OnScrape::OnScrape(std::function<void()> read) {
  Store& to = store();
  const std::lock_guard lock(to.scrape_mutex);
  key_ = ++to.last_reader;
  to.readers.emplace(key_, std::move(read));
}

OnScrape::~OnScrape() {
  Store& to = store();
  const std::lock_guard lock(to.scrape_mutex);
  to.readers.erase(key_);
}

std::string scrape() {
  Store& from = store();
  const std::lock_guard lock(from.scrape_mutex);
  for (const auto& [key, read] : from.readers) read();
  read_process();
  return prometheus::TextSerializer().Serialize(from.registry.Collect());
}

}  // namespace dropscore::telemetry
