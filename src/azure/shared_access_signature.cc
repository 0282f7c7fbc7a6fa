#include <algorithm>

#include "azure/credential.h"
#include "net/http_client.h"

namespace dropscore::azure {
namespace {

/// As it is where it is no percent coding: then the service refuses it.
std::string decoded(std::string_view text) {
  Result<std::string> plain = net::percent_decoded(text);
  return plain ? *std::move(plain) : std::string(text);
}

class SharedAccessSignature : public Credential {
 public:
  explicit SharedAccessSignature(std::string_view sas) {
    while (!sas.empty()) {
      const std::size_t end = std::min(sas.find('&'), sas.size());
      const std::string_view pair = sas.substr(0, end);
      sas.remove_prefix(std::min(end + 1, sas.size()));
      const std::size_t equals = std::min(pair.find('='), pair.size());
      if (pair.empty()) continue;
      query_.emplace_back(decoded(pair.substr(0, equals)), decoded(pair.substr(std::min(equals + 1, pair.size()))));
    }
  }

  Status authorize(Draft& draft, const Deadline&) override {
    draft.query.insert(draft.query.end(), query_.begin(), query_.end());
    return {};
  }
  std::string_view kind() const override { return "shared access signature"; }

 private:
  Query query_;
};

}  // namespace

std::unique_ptr<Credential> shared_access_signature(std::string_view sas) {
  return std::make_unique<SharedAccessSignature>(sas);
}

}  // namespace dropscore::azure
