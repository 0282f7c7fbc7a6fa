#include "app/function/payload_filter.h"

namespace dropscore::function {

void PayloadFilter::take(std::string_view bytes, std::string& kept) {
  while (!bytes.empty()) {
    if (in_string_) {
      take_inside(bytes, kept);
    } else {
      take_outside(bytes, kept);
    }
  }
}

void PayloadFilter::take_outside(std::string_view& bytes, std::string& kept) {
  const std::size_t quote = bytes.find('"');
  kept.append(bytes.substr(0, quote));
  if (quote == std::string_view::npos) {
    bytes = {};
    return;
  }
  bytes.remove_prefix(quote + 1);
  string_begin_ = kept.size();
  kept.push_back('"');
  in_string_ = true;
  dropping_ = false;
}

void PayloadFilter::take_inside(std::string_view& bytes, std::string& kept) {
  if (escaped_) {
    escaped_ = false;
    keep(bytes.substr(0, 1), kept);
    bytes.remove_prefix(1);
    return;
  }
  const std::size_t quote = bytes.find('"');
  const std::size_t backslash = bytes.substr(0, quote).find('\\');
  if (backslash != std::string_view::npos) {
    escaped_ = true;
    keep(bytes.substr(0, backslash + 1), kept);
    bytes.remove_prefix(backslash + 1);
    return;
  }
  keep(bytes.substr(0, quote), kept);
  if (quote == std::string_view::npos) {
    bytes = {};
    return;
  }
  bytes.remove_prefix(quote + 1);
  in_string_ = false;
  kept += dropping_ ? "null" : "\"";
}

void PayloadFilter::keep(std::string_view bytes, std::string& kept) {
  if (dropping_) return;
  if (kept.size() - string_begin_ - 1 + bytes.size() > max_string_bytes_) {
    kept.resize(string_begin_);
    dropping_ = true;
    return;
  }
  kept.append(bytes);
}

}  // namespace dropscore::function
