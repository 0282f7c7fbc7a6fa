#include "app/http/routes.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/hash.h"

namespace dropscore::http {
namespace {

enum class Resource : std::uint8_t { health, predict };

struct Route {
  std::string_view path;
  Resource resource;
  std::string_view allow;
};

constexpr std::array routes{
    Route{"/health", Resource::health, "GET, HEAD"},
    Route{"/predict", Resource::predict, "POST"},
};

constexpr std::string_view post_types = "application/json, text/csv";
constexpr std::size_t max_request_id_bytes = 128;

/// The path of an origin-form ("/predict?x") or absolute-form ("http://host/predict") target, without one trailing
/// slash. Nothing is percent-decoded: none of our paths needs it.
std::string_view path_of(std::string_view target) {
  if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find_first_of("?#"));
  if (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  return target;
}

const Route* find_route(std::string_view target) {
  const std::string_view path = path_of(target);
  const auto* const at = std::find_if(routes.begin(), routes.end(), [path](const Route& r) { return r.path == path; });
  return at == routes.end() ? nullptr : at;
}

bool allows(const Route& route, std::string_view method) {
  std::string_view rest = route.allow;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (trimmed(rest.substr(0, comma)) == method) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

tl::unexpected<Problem> refuse(unsigned status, std::string detail, std::vector<Header> headers = {}) {
  return tl::unexpected<Problem>(
      Problem{.status = status, .detail = std::move(detail), .errors_json = {}, .headers = std::move(headers)});
}

tl::unexpected<Problem> refuse_type(std::string detail) {
  return refuse(415, std::move(detail), {{"Accept-Post", std::string(post_types)}});
}

tl::expected<Plan, Problem> plan_predict(const RequestHead& head, const ServerOptions& options) {
  if (!head.chunked && !head.content_length) {
    return refuse(411, "the request needs a Content-Length, or Transfer-Encoding: chunked");
  }
  if (!head.content_encoding.empty() && !equal_ignoring_case(head.content_encoding, "identity")) {
    return refuse(415, "send the body without Content-Encoding", {{"Accept-Encoding", "identity"}});
  }
  if (!head.content_type) return refuse_type("say what the body is: Content-Type: application/json, or text/csv");
  const std::optional<MediaType> body = body_type(*head.content_type);
  if (!body) return refuse_type("the body's Content-Type must be application/json (in UTF-8) or text/csv");

  Plan plan;
  plan.action = *body == MediaType::json ? Action::score_json : Action::score_csv;
  plan.max_body_bytes = *body == MediaType::json ? options.max_json_body_bytes : options.max_csv_body_bytes;
  const unsigned json = quality_of(MediaType::json, head.accept);
  // A JSON request is answered in JSON only: its records have no columns to send back.
  const unsigned csv = *body == MediaType::csv ? quality_of(MediaType::csv, head.accept) : 0;
  if (json == 0 && csv == 0) {
    return refuse(406, *body == MediaType::csv ? "the answer can be application/json or text/csv"
                                               : "the answer to a JSON body is application/json");
  }
  plan.answer = csv > json ? MediaType::csv : MediaType::json;
  if (head.content_length.value_or(0) > plan.max_body_bytes) {
    return tl::unexpected<Problem>(body_too_large(plan.max_body_bytes));
  }
  return plan;
}

}  // namespace

Problem body_too_large(std::uint64_t limit_bytes) {
  return {.status = 413,
          .detail = fmt::format("the request's body is over the limit of {} bytes; send it in parts", limit_bytes),
          .errors_json = {}};
}

tl::expected<Plan, Problem> plan(const RequestHead& head, const ServerOptions& options) {
  const Route* const route = find_route(head.target);
  if (route == nullptr) return refuse(404, "there is nothing here; the paths are /health and /predict");
  if (!allows(*route, head.method)) {
    return refuse(405, fmt::format("{} takes {}", route->path, route->allow), {{"Allow", std::string(route->allow)}});
  }
  if (!head.expect.empty() && !equal_ignoring_case(head.expect, "100-continue")) {
    return refuse(417, "the only expectation that can be met is 100-continue");
  }
  switch (route->resource) {
    case Resource::health: return Plan{};
    case Resource::predict: return plan_predict(head, options);
  }
  return Plan{};
}

std::string_view path_template(std::string_view target) {
  const Route* const route = find_route(target);
  return route == nullptr ? "other" : route->path;
}

std::string request_id(std::string_view asked_for) {
  const bool usable = !asked_for.empty() && asked_for.size() <= max_request_id_bytes &&
                      std::all_of(asked_for.begin(), asked_for.end(), [](char c) { return c > ' ' && c <= '~'; });
  return usable ? std::string(asked_for) : random_id();
}

}  // namespace dropscore::http
