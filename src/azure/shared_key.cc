// Shared Key: the request's parts in one fixed order, signed with the account's key.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <fmt/format.h>

#include "azure/credential.h"
#include "azure/text.h"
#include "base/base64.h"

namespace dropscore::azure {
namespace {

/// The service sorts headers as .NET compares words: marks, digits, letters; '-' and ''' count only where all else is
/// equal.
int first_weight(char c) {
  static constexpr std::string_view marks = "!#$%&*.^_`|~+";
  const std::size_t mark = marks.find(c);
  if (mark != std::string_view::npos) return static_cast<int>(mark) + 1;
  return 256 + static_cast<unsigned char>(c);  // in ASCII, digits stand before letters
}

std::string without_ignored(std::string_view name) {
  std::string kept;
  std::copy_if(name.begin(), name.end(), std::back_inserter(kept), [](char c) { return c != '-' && c != '\''; });
  return kept;
}

bool comes_before(std::string_view a, std::string_view b) {
  const std::string kept_a = without_ignored(a);
  const std::string kept_b = without_ignored(b);
  if (kept_a == kept_b) return a.size() != b.size() ? a.size() < b.size() : a < b;
  return std::lexicographical_compare(kept_a.begin(), kept_a.end(), kept_b.begin(), kept_b.end(),
                                      [](char x, char y) { return first_weight(x) < first_weight(y); });
}

std::string_view header_of(const Draft& draft, std::string_view name) {
  for (const net::Header& header : draft.headers) {
    if (equal_ignoring_case(header.name, name)) return trimmed(header.value);
  }
  return {};
}

std::string canonical_headers(const Draft& draft) {
  std::vector<std::pair<std::string, std::string_view>> named;
  for (const net::Header& header : draft.headers) {
    std::string name = ascii_lower(header.name);
    if (name.starts_with("x-ms-")) named.emplace_back(std::move(name), trimmed(header.value));
  }
  std::sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return comes_before(a.first, b.first); });
  std::string text;
  for (const auto& [name, value] : named) text += fmt::format("{}:{}\n", name, value);
  return text;
}

std::string canonical_resource(std::string_view account, const Draft& draft) {
  std::map<std::string, std::vector<std::string_view>> values;
  for (const auto& [name, value] : draft.query) values[ascii_lower(name)].emplace_back(value);
  std::string text = fmt::format("/{}{}", account, draft.path);
  for (auto& [name, of_name] : values) {
    std::sort(of_name.begin(), of_name.end());
    text += fmt::format("\n{}:{}", name, fmt::join(of_name, ","));
  }
  return text;
}

std::string signature(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest.data(), &size);
  return base64_encoded({reinterpret_cast<const char*>(digest.data()), size});
}

class SharedKey : public Credential {
 public:
  SharedKey(std::string account, std::string key) : account_(std::move(account)), key_(std::move(key)) {}

  Status authorize(Draft& draft, const Deadline&) override {
    const std::string signed_text = signature(key_, string_to_sign(account_, draft));
    draft.headers.push_back({"Authorization", fmt::format("SharedKey {}:{}", account_, signed_text)});
    return {};
  }
  std::string_view kind() const override { return "shared key"; }

 private:
  const std::string account_;
  const std::string key_;  ///< decoded
};

Result<std::string> decoded_key(std::string_view key_base64) {
  std::optional<std::string> key = base64_decoded(trimmed(key_base64));
  if (!key || key->empty()) return fail(ErrorKind::misuse, "the storage account's key is not base64");
  return *std::move(key);
}

}  // namespace

std::string string_to_sign(std::string_view account, const Draft& draft) {
  std::string text = draft.method + "\n";
  for (const char* name : {"Content-Encoding", "Content-Language"}) text += fmt::format("{}\n", header_of(draft, name));
  text += draft.body_bytes > 0 ? fmt::format("{}\n", draft.body_bytes) : "\n";
  for (const char* name : {"Content-MD5", "Content-Type"}) text += fmt::format("{}\n", header_of(draft, name));
  const bool has_ms_date = !header_of(draft, "x-ms-date").empty();
  text += fmt::format("{}\n", has_ms_date ? std::string_view() : header_of(draft, "Date"));
  for (const char* name : {"If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"}) {
    text += fmt::format("{}\n", header_of(draft, name));
  }
  return text + canonical_headers(draft) + canonical_resource(account, draft);
}

Result<std::string> sign(std::string_view key_base64, std::string_view text) {
  DROPSCORE_TRY(const std::string key, decoded_key(key_base64));
  return signature(key, text);
}

Result<std::unique_ptr<Credential>> shared_key(std::string account, std::string_view key_base64) {
  DROPSCORE_TRY(std::string key, decoded_key(key_base64));
  return std::make_unique<SharedKey>(std::move(account), std::move(key));
}

}  // namespace dropscore::azure
