// GET /metrics, /livez and /readyz: what a monitor and an orchestrator ask. docs/operations.md.
#pragma once

#include <memory>
#include <vector>

#include "app/http/endpoint.h"
#include "app/operations/health.h"

namespace dropscore::operations {

/// They share `health`.
std::vector<http::Endpoint> operations_endpoints(const std::shared_ptr<const Health>& health);

}  // namespace dropscore::operations
