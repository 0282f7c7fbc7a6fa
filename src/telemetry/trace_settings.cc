#include "telemetry/trace_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "base/hash.h"

namespace dropscore::telemetry {
namespace {

constexpr std::string_view service_name = "service.name";
constexpr std::size_t max_resource_attributes = 64;
constexpr std::int64_t longest_ms = 3'600'000;
constexpr std::int64_t most_spans = 1'000'000;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::optional<unsigned> hex_digit(char c) {
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(&c, &c + 1, value, 16);
  return fault == std::errc() ? std::optional(value) : std::nullopt;
}

/// As net::percent_decoded(), which this room may not use.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<char>(16 * *high + *low));
    i += 2;
  }
  return out;
}

/// "a=b,c=d", the values percent-encoded, as W3C Baggage writes them. Empty where it is none.
std::optional<Texts> parse_pairs(std::string_view text) {
  Texts pairs;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)).empty()) return std::nullopt;
    std::optional<std::string> value = percent_decoded(trimmed(pair.substr(equals + 1)));
    if (!value) return std::nullopt;
    pairs.emplace_back(trimmed(pair.substr(0, equals)), *std::move(value));
  }
  return pairs;
}

/// The environment, read into settings.
class Reader {
 public:
  Reader(const Variables& variables, TraceSettings& settings) : variables_(variables), settings_(settings) {}

  void read_resource(const std::string& version) {
    Texts given;
    if (const auto text = value("OTEL_RESOURCE_ATTRIBUTES")) {
      const std::optional<Texts> pairs = parse_pairs(*text);
      if (pairs && pairs->size() <= max_resource_attributes) {
        given = *pairs;
      } else {
        warn("OTEL_RESOURCE_ATTRIBUTES is not NAME=VALUE,... of at most 64 attributes, and is not used");
      }
    }
    if (const auto name = value("OTEL_SERVICE_NAME")) put(given, service_name, *name);
    Texts& resource = settings_.resource;
    resource = {{std::string(service_name), "dropscore"}, {"service.version", version},
                {"service.instance.id", random_id()},     {"telemetry.sdk.language", "cpp"},
                {"telemetry.sdk.name", "dropscore"},      {"telemetry.sdk.version", version}};
    for (const auto& [name, text] : given) put(resource, name, text);
  }

  void read_sampler() {
    const std::string name = value("OTEL_TRACES_SAMPLER").value_or("parentbased_always_on");
    Sampler& sampler = settings_.sampler;
    constexpr std::string_view by_parent = "parentbased_";
    sampler.by_parent = name.starts_with(by_parent);
    const std::string_view root = std::string_view(name).substr(sampler.by_parent ? by_parent.size() : 0);
    if (root == "always_on") {
      sampler.ratio = 1;
    } else if (root == "always_off") {
      sampler.ratio = 0;
    } else if (root == "traceidratio") {
      sampler.ratio = ratio();
    } else {
      sampler = Sampler{};
      warn("OTEL_TRACES_SAMPLER names a sampler that is not there; parentbased_always_on is used");
    }
  }

  void read_export() {
    if (is_off()) return;
    settings_.endpoint = endpoint();
    if (!settings_.exports()) return;
    read_headers();
    settings_.timeout = std::chrono::milliseconds(
        number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
               number("OTEL_EXPORTER_OTLP_TIMEOUT", settings_.timeout.count(), longest_ms), longest_ms));
    settings_.delay = std::chrono::milliseconds(number("OTEL_BSP_SCHEDULE_DELAY", settings_.delay.count(), longest_ms));
    settings_.max_queue = static_cast<std::size_t>(
        number("OTEL_BSP_MAX_QUEUE_SIZE", static_cast<std::int64_t>(settings_.max_queue), most_spans));
    settings_.max_batch = static_cast<std::size_t>(
        number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", static_cast<std::int64_t>(settings_.max_batch), most_spans));
    settings_.max_batch = std::min(settings_.max_batch, settings_.max_queue);
    warn_of_what_is_not_spoken();
  }

 private:
  /// An empty variable counts as one that is not set.
  std::optional<std::string> value(const char* name) const {
    std::optional<std::string> text = variables_(name);
    if (text) text = std::string(trimmed(*text));
    return text && !text->empty() ? text : std::nullopt;
  }
  std::optional<std::string> of_traces_or_all(const char* of_traces, const char* of_all) const {
    std::optional<std::string> text = value(of_traces);
    return text ? text : value(of_all);
  }
  void warn(std::string text) { settings_.warnings.push_back(std::move(text)); }

  static void put(Texts& texts, std::string_view name, std::string_view text) {
    const auto at = std::ranges::find(texts, name, &Texts::value_type::first);
    if (at != texts.end()) {
      at->second = text;
    } else {
      texts.emplace_back(name, text);
    }
  }

  bool is_off() {
    const std::string exporter = value("OTEL_TRACES_EXPORTER").value_or("otlp");
    if (exporter != "otlp" && exporter != "none") {
      warn("OTEL_TRACES_EXPORTER names another exporter than otlp; otlp is used where an endpoint is set");
    }
    std::string disabled = value("OTEL_SDK_DISABLED").value_or("false");
    std::ranges::transform(disabled, disabled.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    return exporter == "none" || disabled == "true";
  }

  /// The endpoint of all signals is a base, that of traces stands for itself.
  std::string endpoint() {
    std::string url;
    if (const auto own = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) {
      url = *own;
    } else if (const auto base = value("OTEL_EXPORTER_OTLP_ENDPOINT")) {
      url = *base;
      while (url.ends_with('/')) url.pop_back();
      url += "/v1/traces";
    }
    if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
      warn("the OTLP endpoint does not begin with http:// or https://; no traces are exported");
      return {};
    }
    return url;
  }

  void read_headers() {
    const auto text = of_traces_or_all("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
    if (!text) return;
    if (auto pairs = parse_pairs(*text)) {
      settings_.headers = *std::move(pairs);
    } else {
      warn("OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE,... and is not used");
    }
  }

  std::int64_t number(const char* name, std::int64_t otherwise, std::int64_t most) {
    const std::optional<std::string> text = value(name);
    if (!text) return otherwise;
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (fault == std::errc() && end == text->data() + text->size() && number > 0 && number <= most) return number;
    warn(fmt::format("{} is no whole number within 1 to {}; {} is used", name, most, otherwise));
    return otherwise;
  }

  double ratio() {
    const std::optional<std::string> text = value("OTEL_TRACES_SAMPLER_ARG");
    if (!text) return 1;
    double ratio = 0;
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), ratio);
    if (fault == std::errc() && end == text->data() + text->size() && ratio >= 0 && ratio <= 1) return ratio;
    warn("OTEL_TRACES_SAMPLER_ARG is no number within 0 to 1; 1 is used");
    return 1;
  }

  void warn_of_what_is_not_spoken() {
    const auto protocol = of_traces_or_all("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
    if (protocol && *protocol != "http/protobuf") {
      warn(
          "OTEL_EXPORTER_OTLP_PROTOCOL asks for another protocol; traces are sent as http/protobuf, the only one here");
    }
    const auto coding = of_traces_or_all("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION");
    if (coding && *coding != "none") warn("OTEL_EXPORTER_OTLP_COMPRESSION is not followed: traces go uncompressed");
    for (const char* const name : {"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
                                   "OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"}) {
      if (value(name)) warn(fmt::format("{} is not followed; SSL_CERT_FILE names the authorities to trust", name));
    }
  }

  const Variables& variables_;
  TraceSettings& settings_;
};

}  // namespace

const std::string& TraceSettings::service() const {
  return std::ranges::find(resource, service_name, &Texts::value_type::first)->second;
}

TraceSettings trace_settings(const Variables& variables, const std::string& version) {
  TraceSettings settings;
  Reader reader(variables, settings);
  reader.read_resource(version);
  reader.read_sampler();
  reader.read_export();
  return settings;
}

}  // namespace dropscore::telemetry
