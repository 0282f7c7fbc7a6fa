// A text in memory as a ByteSource.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace dropscore {

/// Owns its text. `most` bounds what one read returns: a test's way to cut the text anywhere.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text, std::size_t most = std::string::npos) : text_(std::move(text)), most_(most) {}

  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = text_.copy(out.data(), std::min(out.size(), most_), at_);
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t most_;
  std::size_t at_ = 0;
};

}  // namespace dropscore
