// Numbers that tell how the program does: counters, gauges and histograms of the whole process, as the log is. Which
// there are stands in telemetry/metric_table.h. prometheus-cpp keeps and writes them.
//
// Thread-safe where not stated otherwise. A call takes a lock and a microsecond: what comes thousands of times a second
// is gathered first, and added together (app/http/request_log.h).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metric_table.h"

namespace dropscore::telemetry {

/// In the order of the metric's labels. REQUIRES: as many. Never a customer's text, a blob's name or anything else of
/// which there is no end; beyond most_series of one metric, all values are "other".
using LabelValues = std::initializer_list<std::string_view>;
inline constexpr std::size_t most_series = 500;

// REQUIRES, each: a metric of that type.
void add(Metric counter, double amount = 1, LabelValues labels = {});
void set(Metric gauge, double value, LabelValues labels = {});
void change(Metric gauge, double by, LabelValues labels = {});
void observe(Metric histogram, double value, LabelValues labels = {});

/// Shows this part's metrics without labels from now on, at 0, so that their first rise is seen. Those with labels
/// are for the caller to add 0 to.
void expose(Part part);

/// Observations of one histogram, to be added together. Not thread-safe.
class Observations {
 public:
  explicit Observations(Metric histogram)
      : bounds_(description(histogram).buckets), counts_(bounds_.size() + 1, 0.0), metric_(histogram) {}

  void observe(double value) {
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    counts_[bucket] += 1;
    sum_ += value;
  }
  /// Adds them to the process's, and forgets them.
  void flush(LabelValues labels = {});

 private:
  std::span<const double> bounds_;
  std::vector<double> counts_;
  double sum_ = 0;
  Metric metric_;
};

// The model. Call model_loaded() for the first too; the info of the one before goes.
void model_loaded(std::string_view version, std::string_view kind);
void model_reload_failed();
void model_refresh_failed();
/// True once a model was loaded.
bool has_model();

/// While it lives, `read` is called before each scrape, to set what is only read then. It must take no longer than a
/// few system calls. Its end waits for a scrape under way. REQUIRES: `read` makes or ends none of these.
class OnScrape {
 public:
  explicit OnScrape(std::function<void()> read);
  ~OnScrape();
  OnScrape(const OnScrape&) = delete;
  OnScrape& operator=(const OnScrape&) = delete;

 private:
  std::uint64_t key_;
};

/// All of it in Prometheus' text format 0.0.4. A millisecond; one scrape at a time, others wait.
std::string scrape();
inline constexpr std::string_view scrape_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace dropscore::telemetry
