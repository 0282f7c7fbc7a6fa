#include "base/result.h"

namespace dropscore {

std::string_view name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::reject: return "reject";
    case ErrorKind::too_large: return "too_large";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::changed: return "changed";
    case ErrorKind::try_later: return "try_later";
    case ErrorKind::misuse: return "misuse";
    case ErrorKind::give_up: return "give_up";
  }
  return "give_up";
}

}  // namespace dropscore
