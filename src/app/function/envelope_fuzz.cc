// libFuzzer's way into the reading of an invocation: any bytes, filtered or not and however cut, are read without
// fault. With clang:
//
//   cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo
//         -DDROPSCORE_FUZZ=ON -DDROPSCORE_SANITIZE=address,undefined,fuzzer-no-link
//   cmake --build build/fuzz --target envelope_fuzz && build/fuzz/envelope_fuzz -max_len=4096 -max_total_time=60
#include <cstdlib>

#include "app/function/envelope.h"
#include "app/function/payload_filter.h"
#include "store/store.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace dropscore::function;  // NOLINT(google-build-using-namespace)
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string whole;
  PayloadFilter(data[0]).take(text, whole);
  std::string cut;
  PayloadFilter filter(data[0]);
  for (std::size_t at = 0; at < text.size(); at += 1 + data[1] % 7) filter.take(text.substr(at, 1 + data[1] % 7), cut);
  if (whole != cut) std::abort();
  for (const std::string_view json : {text, std::string_view(whole)}) {
    const auto invocation = parse_invocation(json, {});
    if (invocation && !dropscore::store::validate_name(invocation->blob.blob)) std::abort();
  }
  return 0;
}
