// A store that does what another one does: a test overrides the one call that is to fail, wait, or come too late.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace dropscore::testing {

/// Thread-safe as `inner` is, which must outlive it.
class ForwardingStore : public store::BlobStore {
 public:
  explicit ForwardingStore(store::BlobStore& inner) : inner_(inner) {}
  std::string container() const override { return inner_.container(); }
  Status list(const std::function<bool(const store::BlobInfo&)>& visit) override { return inner_.list(visit); }
  Result<store::BlobProperties> properties(std::string_view name) override { return inner_.properties(name); }
  Result<std::unique_ptr<ByteSource>> open(std::string_view name, const std::optional<std::string>& if_match,
                                           std::uint64_t offset) override {
    return inner_.open(name, if_match, offset);
  }
  Result<std::unique_ptr<store::BlobWriter>> create(std::string_view name,
                                                    const store::WriteCondition& condition) override {
    return inner_.create(name, condition);
  }
  Status remove(std::string_view name, const std::optional<std::string>& if_match) override {
    return inner_.remove(name, if_match);
  }

 protected:
  store::BlobStore& inner() { return inner_; }

 private:
  store::BlobStore& inner_;
};

}  // namespace dropscore::testing
