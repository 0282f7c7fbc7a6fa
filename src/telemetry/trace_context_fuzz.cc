// libFuzzer's way into the reading of trace contexts: any text is read without fault, what is taken reads back alike,
// and what is handed on is within its limits. With clang:
//
//   cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo
//         -DDROPSCORE_FUZZ=ON -DDROPSCORE_SANITIZE=address,undefined,fuzzer-no-link
//   cmake --build build/fuzz --target telemetry_fuzz && build/fuzz/telemetry_fuzz -max_len=1024 -max_total_time=60
#include <cstdlib>

#include "telemetry/otlp.h"
#include "telemetry/trace_context.h"

namespace telemetry = dropscore::telemetry;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = telemetry::parse_traceparent(text)) {
    const auto again = telemetry::parse_traceparent(telemetry::traceparent(*context));
    if (!again || again->trace_id != context->trace_id || again->span_id != context->span_id ||
        again->sampled != context->sampled) {
      std::abort();
    }
  }
  const std::string state = telemetry::checked_tracestate(text);
  if (state.size() > 512 || telemetry::checked_tracestate(state) != state) std::abort();
  telemetry::partial_success(text);
  return 0;
}
