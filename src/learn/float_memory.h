// Large blocks of floats for matrices. Private to the room.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include <sys/mman.h>

namespace dropscore::learn {

struct FreeFloats {
  void operator()(float* memory) const { std::free(memory); }
};
using FloatMemory = std::unique_ptr<float[], FreeFloats>;

/// Room for `count` floats, not initialised, 64-byte aligned; the system gives pages (huge ones, if it likes) as they
/// are first written to. nullptr when there is no memory.
inline FloatMemory take_floats(std::size_t count) {
  constexpr std::size_t huge_page = std::size_t{2} << 20U;
  const std::size_t bytes = count * sizeof(float);
  const std::size_t alignment = bytes >= huge_page ? huge_page : 64;
  const std::size_t rounded = (bytes / alignment + 1) * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory != nullptr && alignment == huge_page) ::madvise(memory, rounded, MADV_HUGEPAGE);  // a wish, no more
  return FloatMemory(static_cast<float*>(memory));
}

}  // namespace dropscore::learn
