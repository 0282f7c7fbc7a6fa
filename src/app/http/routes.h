// Which request is answered how, decided from its header alone: before a byte of the body is read, or asked for with
// 100 Continue.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/http/api_key.h"
#include "app/http/endpoint.h"
#include "app/http/negotiation.h"
#include "app/http/options.h"
#include "app/http/problem.h"
#include "app/http/request_parser.h"

namespace dropscore::http {

enum class Action : std::uint8_t { health, score_json, score_csv, endpoint };

struct Plan {
  Action action = Action::health;
  MediaType answer = MediaType::json;
  std::uint64_t max_body_bytes = 0;  ///< of a body without a length; one with a length was held against it already
  std::shared_ptr<const Endpoint> endpoint = nullptr;
};

/// The paths of one server. Immutable, thread-safe.
class Routes {
 public:
  /// /health, /predict where the server `predicts`, and the endpoints. Errors: `misuse` (an endpoint without an answer
  /// or methods, a path that is none or taken, a limit that cannot be kept).
  static Result<Routes> make(bool predicts, std::vector<Endpoint> endpoints, const ServerOptions& options);

  /// `keys`, of the calling thread, are asked about every path whose access is not open.
  tl::expected<Plan, Problem> plan(const RequestHead& head, const ServerOptions& options, KeyCheck& keys) const;

  /// The target's path as logs and metrics call it: one of the known paths, or "other". Never the client's own text.
  /// Lives as long as the Routes.
  std::string_view path_template(std::string_view target) const;

 private:
  enum class Resource : std::uint8_t { health, predict, endpoint };
  struct Route {
    std::string path;
    Resource resource;
    std::string allow;
    Access access;
    std::shared_ptr<const Endpoint> endpoint = nullptr;
  };
  static tl::expected<Plan, Problem> plan_endpoint(const RequestHead& head, const Route& route);
  const Route* find(std::string_view target) const;
  std::string known_paths() const;

  std::vector<Route> routes_;
};

/// What one request may not be longer than, said the same way before and while it is read.
Problem body_too_large(std::uint64_t limit_bytes);

}  // namespace dropscore::http
