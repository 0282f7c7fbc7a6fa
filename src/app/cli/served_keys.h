// The keys that `serve` and `up` ask for: where they come from, and the file of them that may change while they serve.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/command.h"
#include "app/http/api_key.h"
#include "app/http/server.h"

namespace dropscore::app {

struct KeyArguments {
  void add_to(CLI::App& command);

  std::string keys;  ///< as read_keys() takes them
  std::string file;
  bool insecure_open = false;
};

/// Holds the keys of the options and of the file, which is read again every second, and counts as changed once it was
/// read alike twice: a key can be changed without a restart, as where an orchestrator mounts a secret. A file that has
/// become unreadable leaves the keys as they were.
class ServedKeys {
 public:
  /// Tells `server` whom to let in. Errors: `misuse`: a key that is none, a file that cannot be read.
  static Result<std::unique_ptr<ServedKeys>> open(const KeyArguments& arguments, http::ServerOptions& server);
  ~ServedKeys();
  ServedKeys(const ServedKeys&) = delete;
  ServedKeys& operator=(const ServedKeys&) = delete;

  /// That are valid now; 0: nobody is asked for one.
  std::size_t count() const { return ring_ ? ring_->size() : 0; }

 private:
  ServedKeys(std::vector<std::string> keys, std::filesystem::path file);
  Result<std::vector<std::string>> all_keys(const std::string& in_file) const;
  void watch(const std::stop_token& stop);
  void look_again();

  std::vector<std::string> keys_;  ///< of the options
  std::filesystem::path file_;
  std::string last_seen_;  ///< in the file
  std::string taken_;      ///< of what was seen there, or refused
  bool unreadable_ = false;
  std::shared_ptr<http::KeyRing> ring_;
  std::mutex mutex_;
  std::condition_variable_any stopping_;
  std::jthread watcher_;
};

/// Says so in the log where no key is asked for and the address is not loopback.
void warn_if_open(const http::Server& server);

}  // namespace dropscore::app
