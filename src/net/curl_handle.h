// libcurl's handles, and the pool that keeps them (and through them the connections) between requests.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <curl/curl.h>

namespace dropscore::net {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

/// One request at a time. Its multi handle holds its connections, so they live as long as it does.
struct CurlHandle {
  std::unique_ptr<CURLM, MultiDeleter> multi;  // outlives `easy`
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::string origin;  ///< scheme, host and port that it spoke to last
  std::chrono::steady_clock::time_point idle_since;
};

/// Names and TLS sessions that all handles share.
class CurlShare {
 public:
  CurlShare();
  CURLSH* get() const { return share_.get(); }

 private:
  struct Deleter {
    void operator()(CURLSH* share) const { curl_share_cleanup(share); }
  };
  static void lock(CURL* easy, curl_lock_data data, curl_lock_access access, void* self);
  static void unlock(CURL* easy, curl_lock_data data, void* self);

  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes_;
  std::unique_ptr<CURLSH, Deleter> share_;
};

/// Thread-safe.
class CurlPool {
 public:
  CurlPool();

  /// A handle whose last connection was to `origin` where there is one, else a new one; reset but for its connections.
  /// Empty where libcurl has no memory.
  std::unique_ptr<CurlHandle> take(const std::string& origin);
  /// REQUIRES: its easy handle has been removed from its multi handle.
  void give_back(std::unique_ptr<CurlHandle> handle);
  /// SSL_CERT_FILE; empty where it is not set.
  const std::string& certificates() const { return certificates_; }

 private:
  static constexpr std::size_t max_idle = 32;
  static constexpr std::chrono::seconds max_idle_time{60};

  std::string certificates_;
  CurlShare share_;  // outlives the handles
  std::mutex mutex_;
  std::vector<std::unique_ptr<CurlHandle>> idle_;  // the longest idle first
};

}  // namespace dropscore::net
