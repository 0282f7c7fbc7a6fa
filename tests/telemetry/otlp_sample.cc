// For otlp_schema_test.mjs: `request` writes a request with everything in it that a request may hold; `response` reads
// a collector's answer from standard input and says what it understood.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "telemetry/otlp.h"

namespace {

using namespace dropscore::telemetry;

FinishedSpan span() {
  FinishedSpan made;
  made.identity.recorded = made.identity.context.sampled = true;
  std::iota(made.identity.context.trace_id.begin(), made.identity.context.trace_id.end(), std::uint8_t{0});
  std::iota(made.identity.context.span_id.begin(), made.identity.context.span_id.end(), std::uint8_t{0xf0});
  made.name = "POST /predict";
  made.kind = SpanKind::server;
  made.start = WallClock::time_point(std::chrono::nanoseconds(1'795'413'600'123'456'789));
  made.end = WallClock::time_point(std::chrono::seconds(1'795'413'601));
  return made;
}

std::string request() {
  FinishedSpan full = span();
  full.identity.parent.fill(1);
  full.identity.context.state = "vendor=1,other=2";
  full.failed = true;
  full.attributes = {{"text", "grün"},
                     {"empty", ""},
                     {"not_utf8", "a\xff"},
                     {"zero", std::int64_t{0}},
                     {"negative", std::int64_t{-1}},
                     {"large", std::int64_t{(1LL << 53) - 1}},
                     {"on", true},
                     {"off", false},
                     {"number", 0.1}};
  FinishedSpan large = span();
  large.attributes = {{"text", std::string(300'000, 'x')}};
  const std::vector<FinishedSpan> spans{full, span(), large};
  return encoded_request(encoded_resource({{"service.name", "sämple"}, {"service.version", "1.2.3"}}), spans);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "request") {
    const std::string body = request();
    return std::fwrite(body.data(), 1, body.size(), stdout) == body.size() ? 0 : 1;
  }
  if (what != "response") return 2;
  const std::string body{std::istreambuf_iterator<char>(std::cin), {}};
  const std::optional<PartialSuccess> partial = partial_success(body);
  fmt::print("{}\n", partial ? fmt::format("{} {}", partial->rejected, partial->message) : "all taken");
  return 0;
}
