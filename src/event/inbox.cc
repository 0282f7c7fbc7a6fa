#include "event/inbox.h"

namespace dropscore::event {

Status Inbox::dead_letter(const Envelope& envelope, std::string_view /*reason*/) { return acknowledge(envelope); }

}  // namespace dropscore::event
