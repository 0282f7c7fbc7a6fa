#include "telemetry/trace_settings.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::telemetry {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TraceSettings read(const std::map<std::string, std::string>& variables) {
  return trace_settings(
      [&variables](const char* name) -> std::optional<std::string> {
        const auto at = variables.find(name);
        return at == variables.end() ? std::nullopt : std::optional(at->second);
      },
      "1.2.3");
}

TEST(TraceSettings, WithoutAnEndpointNothingIsExported) {
  const TraceSettings settings = read({{"OTEL_EXPORTER_OTLP_HEADERS", "a=b"}});
  EXPECT_FALSE(settings.exports());
  EXPECT_EQ(settings.service(), "dropscore");
  EXPECT_THAT(settings.warnings, IsEmpty());
}

TEST(TraceSettings, TheEndpointOfAllSignalsIsABase) {
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"}}).endpoint, "http://c:4318/v1/traces");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/otlp//"}}).endpoint, "http://c:4318/otlp/v1/traces");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c/x"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://d"}})
                .endpoint,
            "https://c/x");
  EXPECT_FALSE(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}).exports());
  const TraceSettings wrong = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"}});
  EXPECT_FALSE(wrong.exports());
  EXPECT_THAT(wrong.warnings, ElementsAre(HasSubstr("http://")));
}

TEST(TraceSettings, CanBeTurnedOff) {
  const std::string endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
  EXPECT_FALSE(read({{endpoint, "http://c"}, {"OTEL_SDK_DISABLED", "True"}}).exports());
  EXPECT_TRUE(read({{endpoint, "http://c"}, {"OTEL_SDK_DISABLED", "no"}}).exports());
  EXPECT_FALSE(read({{endpoint, "http://c"}, {"OTEL_TRACES_EXPORTER", "none"}}).exports());
  EXPECT_THAT(read({{endpoint, "http://c"}, {"OTEL_TRACES_EXPORTER", "zipkin"}}).warnings,
              ElementsAre(HasSubstr("OTEL_TRACES_EXPORTER")));
}

TEST(TraceSettings, HeadersArePercentEncodedPairs) {
  const std::string endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
  const TraceSettings settings =
      read({{endpoint, "http://c"}, {"OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20QQ==, x-team = a%2Cb ,"}});
  EXPECT_THAT(settings.headers, ElementsAre(Pair("Authorization", "Basic QQ=="), Pair("x-team", "a,b")));
  const TraceSettings own = read(
      {{endpoint, "http://c"}, {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"}, {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"}});
  EXPECT_THAT(own.headers, ElementsAre(Pair("b", "2")));
  for (const char* bad : {"secret", "=secret", "a=secret%2", "a=secret%zz"}) {
    const TraceSettings wrong = read({{endpoint, "http://c"}, {"OTEL_EXPORTER_OTLP_HEADERS", bad}});
    EXPECT_THAT(wrong.headers, IsEmpty());
    EXPECT_THAT(wrong.warnings, ElementsAre(testing::Not(HasSubstr("secret"))));
  }
}

TEST(TraceSettings, TheResourceSaysWhoSpeaks) {
  const TraceSettings settings = read({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=x,deployment.environment=te%20st"},
                                       {"OTEL_SERVICE_NAME", "dropscore-worker"}});
  EXPECT_EQ(settings.service(), "dropscore-worker");
  EXPECT_THAT(settings.resource, Contains(Pair("deployment.environment", "te st")));
  EXPECT_THAT(settings.resource, Contains(Pair("service.version", "1.2.3")));
  EXPECT_THAT(settings.resource, Contains(Pair("telemetry.sdk.language", "cpp")));
  EXPECT_EQ(read({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=x"}}).service(), "x");
  EXPECT_THAT(read({{"OTEL_RESOURCE_ATTRIBUTES", "nonsense"}}).warnings, ElementsAre(HasSubstr("RESOURCE")));
  EXPECT_NE(read({}).resource, read({}).resource) << "service.instance.id is each process's own";
}

TEST(TraceSettings, Samplers) {
  const auto sampler = [](const std::string& name, const std::string& ratio) {
    return read({{"OTEL_TRACES_SAMPLER", name}, {"OTEL_TRACES_SAMPLER_ARG", ratio}});
  };
  EXPECT_TRUE(read({}).sampler.by_parent);
  EXPECT_EQ(read({}).sampler.ratio, 1);
  EXPECT_FALSE(sampler("always_on", "").sampler.by_parent);
  EXPECT_EQ(sampler("always_off", "").sampler.ratio, 0);
  EXPECT_EQ(sampler("traceidratio", "0.25").sampler.ratio, 0.25);
  EXPECT_TRUE(sampler("parentbased_traceidratio", "0.25").sampler.by_parent);
  EXPECT_EQ(sampler("parentbased_always_off", "0.5").sampler.ratio, 0);
  EXPECT_EQ(sampler("traceidratio", "2").sampler.ratio, 1);
  EXPECT_THAT(sampler("traceidratio", "half").warnings, ElementsAre(HasSubstr("SAMPLER_ARG")));
  const TraceSettings unknown = sampler("jaeger_remote", "");
  EXPECT_TRUE(unknown.sampler.by_parent);
  EXPECT_EQ(unknown.sampler.ratio, 1);
  EXPECT_THAT(unknown.warnings, ElementsAre(HasSubstr("OTEL_TRACES_SAMPLER")));
}

TEST(TraceSettings, NumbersHaveLimits) {
  const std::string endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
  const TraceSettings settings = read({{endpoint, "http://c"},
                                       {"OTEL_EXPORTER_OTLP_TIMEOUT", "1500"},
                                       {"OTEL_BSP_SCHEDULE_DELAY", "20"},
                                       {"OTEL_BSP_MAX_QUEUE_SIZE", "10"},
                                       {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "20"}});
  EXPECT_EQ(settings.timeout, milliseconds(1500));
  EXPECT_EQ(settings.delay, milliseconds(20));
  EXPECT_EQ(settings.max_queue, 10U);
  EXPECT_EQ(settings.max_batch, 10U);
  for (const char* bad : {"0", "-1", "10s", "99999999999999999999"}) {
    const TraceSettings wrong = read({{endpoint, "http://c"}, {"OTEL_EXPORTER_OTLP_TIMEOUT", bad}});
    EXPECT_EQ(wrong.timeout, milliseconds(10'000));
    EXPECT_THAT(wrong.warnings, ElementsAre(HasSubstr("OTEL_EXPORTER_OTLP_TIMEOUT")));
  }
}

TEST(TraceSettings, SaysWhatItDoesNotFollow) {
  const std::string endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
  const auto warnings = [&](const std::string& name, const std::string& value) {
    return read({{endpoint, "http://c"}, {name, value}}).warnings;
  };
  EXPECT_THAT(warnings("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), IsEmpty());
  EXPECT_THAT(warnings("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ElementsAre(HasSubstr("http/protobuf")));
  EXPECT_THAT(warnings("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), ElementsAre(HasSubstr("uncompressed")));
  EXPECT_THAT(warnings("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"), ElementsAre(HasSubstr("SSL_CERT_FILE")));
}

}  // namespace
}  // namespace dropscore::telemetry
