#include "app/cli/served_keys.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/files.h"
#include "base/limits.h"
#include "base/log.h"

namespace dropscore::app {
namespace {

constexpr std::chrono::seconds look_period{1};
constexpr std::size_t max_file_bytes = 64 * limits::kib;

Result<std::string> read_key_file(const std::filesystem::path& file) {
  Result<std::string> text = read_file(file, max_file_bytes);
  if (text) return text;
  return fail(ErrorKind::misuse, fmt::format("--api-key-file: {}", text.error().detail.text));
}

}  // namespace

void KeyArguments::add_to(CLI::App& command) {
  // No default is shown: it would be the key.
  command
      .add_option("--api-key", keys,
                  "Key that clients must send, as X-API-Key or as a bearer token; several, separated by commas, are "
                  "all valid. Better given by the environment: other users see a command line")
      ->type_name("KEY[,...]")
      ->envname(environment_name("--api-key"));
  add_option(command, "--api-key-file", file, "File of keys, one a line, valid too; read again when it changes")
      ->type_name("FILE");
  add_flag(command, "--insecure-open", insecure_open,
           "Without a key, listen beyond this machine all the same: whoever reaches the port may ask");
}

ServedKeys::ServedKeys(std::vector<std::string> keys, std::filesystem::path file)
    : keys_(std::move(keys)), file_(std::move(file)) {}

ServedKeys::~ServedKeys() = default;

Result<std::unique_ptr<ServedKeys>> ServedKeys::open(const KeyArguments& arguments, http::ServerOptions& server) {
  std::vector<std::string> keys;
  if (!arguments.keys.empty()) {
    DROPSCORE_TRY(keys, http::read_keys(arguments.keys, "--api-key (or DROPSCORE_API_KEY)"));
  }
  std::unique_ptr<ServedKeys> made(new ServedKeys(std::move(keys), arguments.file));
  server.insecure_open = arguments.insecure_open;
  if (!made->file_.empty()) {
    DROPSCORE_TRY(made->taken_, read_key_file(made->file_));
    DROPSCORE_TRY(keys, made->all_keys(made->taken_));
    made->ring_ = std::make_shared<http::KeyRing>(keys);
    made->watcher_ = std::jthread([at = made.get()](const std::stop_token& stop) { at->watch(stop); });
  } else if (!made->keys_.empty()) {
    made->ring_ = std::make_shared<http::KeyRing>(made->keys_);
  }
  server.keys = made->ring_;
  return made;
}

Result<std::vector<std::string>> ServedKeys::all_keys(const std::string& in_file) const {
  DROPSCORE_TRY(std::vector<std::string> keys, http::read_keys(in_file, "--api-key-file"));
  keys.insert(keys.end(), keys_.begin(), keys_.end());
  return keys;
}

void ServedKeys::watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, stop, look_period, [&stop] { return stop.stop_requested(); })) look_again();
}

void ServedKeys::look_again() {
  const Result<std::string> text = read_key_file(file_);
  const bool was_unreadable = std::exchange(unreadable_, !text);
  if (!text) {
    if (!was_unreadable) log::error("api_keys_kept", {{"error", text.error().detail.text}});
    return;
  }
  // What has just changed may be there in part: a key cut short would shut everybody out.
  const bool settled = *text == std::exchange(last_seen_, *text);
  if (!settled || *text == taken_) return;
  taken_ = *text;
  const Result<std::vector<std::string>> keys = all_keys(*text);
  if (!keys) {
    log::error("api_keys_kept", {{"error", keys.error().detail.text}});
    return;
  }
  ring_->replace(*keys);
  log::info("api_keys_changed", {{"valid", keys->size()}});
}

void warn_if_open(const http::Server& server) {
  if (!server.open_to_everybody()) return;
  log::warning("open_to_everybody", {{"port", server.port()}, {"reason", "--insecure-open, and no API key"}});
}

}  // namespace dropscore::app
