#include "net/curl_handle.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace dropscore::net {
namespace {

void initialise_curl_once() {
  // Never undone: a static object's client may still be at work when main() has ended.
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(result);  // where it failed, curl_easy_init() fails, too
}

std::string certificates_of_environment() {
  const char* const file = std::getenv("SSL_CERT_FILE");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return file != nullptr ? file : "";
}

}  // namespace

CurlShare::CurlShare() {
  initialise_curl_once();
  share_.reset(curl_share_init());
  if (!share_) return;
  curl_share_setopt(share_.get(), CURLSHOPT_USERDATA, this);
  curl_share_setopt(share_.get(), CURLSHOPT_LOCKFUNC, &CurlShare::lock);
  curl_share_setopt(share_.get(), CURLSHOPT_UNLOCKFUNC, &CurlShare::unlock);
  curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

void CurlShare::lock(CURL*, curl_lock_data data, curl_lock_access, void* self) {
  static_cast<CurlShare*>(self)->mutexes_.at(data).lock();
}

void CurlShare::unlock(CURL*, curl_lock_data data, void* self) {
  static_cast<CurlShare*>(self)->mutexes_.at(data).unlock();
}

CurlPool::CurlPool() : certificates_(certificates_of_environment()) {}

std::unique_ptr<CurlHandle> CurlPool::take(const std::string& origin) {
  std::unique_ptr<CurlHandle> handle;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& idle) { return idle->origin == origin; });
    if (found != idle_.rend()) {
      handle = std::move(*found);
      idle_.erase(std::next(found).base());
    }
  }
  if (handle) {
    curl_easy_reset(handle->easy.get());
  } else {
    handle = std::make_unique<CurlHandle>();
    handle->multi.reset(curl_multi_init());
    handle->easy.reset(curl_easy_init());
    if (!handle->multi || !handle->easy) return nullptr;
    handle->origin = origin;
  }
  curl_easy_setopt(handle->easy.get(), CURLOPT_SHARE, share_.get());
  return handle;
}

void CurlPool::give_back(std::unique_ptr<CurlHandle> handle) {
  const auto now = std::chrono::steady_clock::now();
  handle->idle_since = now;
  std::vector<std::unique_ptr<CurlHandle>> retired;  // closed without the lock
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
  while (idle_.size() > max_idle || now - idle_.front()->idle_since > max_idle_time) {
    retired.push_back(std::move(idle_.front()));
    idle_.erase(idle_.begin());
  }
}

}  // namespace dropscore::net
