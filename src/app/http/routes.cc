#include "app/http/routes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace dropscore::http {
namespace {

constexpr std::string_view post_types = "application/json, text/csv";

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

bool allows(std::string_view allowed, std::string_view method) {
  while (!allowed.empty()) {
    const std::size_t comma = allowed.find(',');
    if (trimmed(allowed.substr(0, comma)) == method) return true;
    allowed = comma == std::string_view::npos ? std::string_view() : allowed.substr(comma + 1);
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

bool asks_for_key(Access access, const RequestHead& head) {
  switch (access) {
    case Access::key: return true;
    case Access::key_but_to_options: return head.method != "OPTIONS";
    case Access::open: return false;
  }
  return true;
}

tl::expected<void, Problem> check_key(const RequestHead& head, KeyCheck& keys) {
  const auto unauthorized = [](const char* detail) { return refuse(401, detail, {{"WWW-Authenticate", "Bearer"}}); };
  switch (keys.judge(head)) {
    case KeyCheck::Verdict::admitted: return {};
    case KeyCheck::Verdict::no_key:
      return unauthorized("this wants a key: send it in the header X-API-Key, or as Authorization: Bearer KEY");
    case KeyCheck::Verdict::wrong_key: return unauthorized("the key that was sent is not valid");
  }
  return {};
}

/// What every body must be.
tl::expected<void, Problem> check_body(const RequestHead& head) {
  if (!head.chunked && !head.content_length) {
    return refuse(411, "the request needs a Content-Length, or Transfer-Encoding: chunked");
  }
  if (!head.content_encoding.empty() && !equal_ignoring_case(head.content_encoding, "identity")) {
    return refuse(415, "send the body without Content-Encoding", {{"Accept-Encoding", "identity"}});
  }
  return {};
}

tl::expected<Plan, Problem> plan_predict(const RequestHead& head, const ServerOptions& options) {
  if (const auto sound = check_body(head); !sound) return tl::unexpected<Problem>(sound.error());
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

Result<Routes> Routes::make(bool predicts, std::vector<Endpoint> endpoints, const ServerOptions& options) {
  Routes made;
  made.routes_.push_back({"/health", Resource::health, "GET, HEAD", Access::open});
  if (predicts) made.routes_.push_back({"/predict", Resource::predict, "POST", Access::key});
  for (Endpoint& endpoint : endpoints) {
    const auto wrong = [&endpoint](std::string_view why) {
      return fail(ErrorKind::misuse, fmt::format("the endpoint {}: {}", endpoint.path, why));
    };
    if (!endpoint.path.starts_with('/') || path_of(endpoint.path) != endpoint.path) return wrong("not a path");
    if (made.find(endpoint.path) != nullptr) return wrong("the path is taken");
    if (!endpoint.answer || trimmed(endpoint.allow).empty()) return wrong("there is nothing that answers");
    if (!endpoint.filter && endpoint.max_body_bytes > options.max_json_body_bytes) {
      return wrong("the limit on its bodies, which are held in memory, is over that on JSON bodies");
    }
    auto shared = std::make_shared<const Endpoint>(std::move(endpoint));
    made.routes_.push_back({shared->path, Resource::endpoint, shared->allow, shared->access, shared});
  }
  return made;
}

const Routes::Route* Routes::find(std::string_view target) const {
  const std::string_view path = path_of(target);
  const auto at = std::find_if(routes_.begin(), routes_.end(), [path](const Route& r) { return r.path == path; });
  return at == routes_.end() ? nullptr : &*at;
}

std::string Routes::known_paths() const {
  std::string text;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (i > 0) text += i + 1 == routes_.size() ? " and " : ", ";
    text += routes_[i].path;
  }
  return text;
}

tl::expected<Plan, Problem> Routes::plan_endpoint(const RequestHead& head, const Route& route) {
  const bool brings_body = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
  if (brings_body || head.has_body()) {
    if (const auto sound = check_body(head); !sound) return tl::unexpected<Problem>(sound.error());
  }
  if (head.content_length.value_or(0) > route.endpoint->max_body_bytes) {
    return tl::unexpected<Problem>(body_too_large(route.endpoint->max_body_bytes));
  }
  Plan plan;
  plan.action = Action::endpoint;
  plan.max_body_bytes = route.endpoint->max_body_bytes;
  plan.endpoint = route.endpoint;
  return plan;
}

tl::expected<Plan, Problem> Routes::plan(const RequestHead& head, const ServerOptions& options, KeyCheck& keys) const {
  const Route* const route = find(head.target);
  if (route == nullptr) return refuse(404, fmt::format("there is nothing here; the paths are {}", known_paths()));
  if (asks_for_key(route->access, head)) {
    if (const auto admitted = check_key(head, keys); !admitted) return tl::unexpected<Problem>(admitted.error());
  }
  if (!allows(route->allow, head.method)) {
    return refuse(405, fmt::format("{} takes {}", route->path, route->allow), {{"Allow", route->allow}});
  }
  if (!head.expect.empty() && !equal_ignoring_case(head.expect, "100-continue")) {
    return refuse(417, "the only expectation that can be met is 100-continue");
  }
  switch (route->resource) {
    case Resource::health: return Plan{};
    case Resource::predict: return plan_predict(head, options);
    case Resource::endpoint: return plan_endpoint(head, *route);
  }
  return Plan{};
}

std::string_view Routes::path_template(std::string_view target) const {
  const Route* const route = find(target);
  return route == nullptr ? std::string_view("other") : route->path;
}

}  // namespace dropscore::http
