// What the Functions host POSTs for an invocation, and what it wants back: the JSON protocol of custom handlers. Facts:
// the host's own source (Workers/Http); docs/azure-function.md tells them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/blob_url.h"

namespace dropscore::function {

struct EnvelopeOptions {
  std::string input_binding = "inputBlob";     ///< the trigger's name in function.json
  std::string input_container = "input-data";  ///< of a blob that is only told by its name
  bool wants_payload = true;                   ///< false: it is not even decoded
};

struct Invocation {
  event::BlobName blob;  ///< the account is empty where only the blob's name was told
  /// The trigger's entry is there. The host always sends it; it is not, where function.json calls it differently.
  bool has_entry = false;
  /// The blob's content; empty where it was not wanted, or had been left out as too long (a null).
  std::optional<std::string> payload;
};

/// Errors: `reject`: no JSON, no blob's name, or a payload that is no base64.
Result<Invocation> parse_invocation(std::string_view json, const EnvelopeOptions& options);

/// {"Outputs":{BINDING: base64 of the document},"Logs":[...],"ReturnValue":null}; no member of Outputs without a
/// document.
std::string invocation_reply(std::string_view output_binding, const std::optional<std::string>& document,
                             std::span<const std::string> logs);

}  // namespace dropscore::function
