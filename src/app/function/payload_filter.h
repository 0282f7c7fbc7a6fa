// The Functions host sends a blob's whole content, as one JSON string, in front of the little that says which blob it
// is. This keeps the little and lets a long string go as it comes in, so that memory does not grow with the blob.
#pragma once

#include <cstddef>

#include "app/http/endpoint.h"

namespace dropscore::function {

/// Copies JSON; a string of more than `max_string_bytes` between its quotes becomes null. What is no JSON stays none.
class PayloadFilter final : public http::BodyFilter {
 public:
  explicit PayloadFilter(std::size_t max_string_bytes) : max_string_bytes_(max_string_bytes) {}
  void take(std::string_view bytes, std::string& kept) override;

 private:
  void take_outside(std::string_view& bytes, std::string& kept);
  void take_inside(std::string_view& bytes, std::string& kept);
  void keep(std::string_view bytes, std::string& kept);

  std::size_t max_string_bytes_;
  std::size_t string_begin_ = 0;  ///< in `kept`, its opening quote
  bool in_string_ = false;
  bool escaped_ = false;   ///< the last byte was a backslash
  bool dropping_ = false;  ///< the string has grown too long
};

}  // namespace dropscore::function
