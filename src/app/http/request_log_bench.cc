// What counting costs a request, the flushes' share included: a reactor at 40,000 requests a second flushes once in
// 2,000.
#include <benchmark/benchmark.h>

#include "app/http/request_log.h"

namespace dropscore::http {
namespace {

void count_a_request(benchmark::State& state) {
  RequestRecord request;
  request.method = "POST";
  request.path = "/predict";
  request.status = 200;
  request.body_bytes = 300;
  request.sent_bytes = 500;
  request.counts.scored = 1;
  RequestCounts counts;
  unsigned number = 0;
  for (auto _ : state) {
    counts.add(request, 0.00001 * (number % 60));
    if (++number % 2000 == 0) counts.flush();
  }
}
BENCHMARK(count_a_request);

}  // namespace
}  // namespace dropscore::http
