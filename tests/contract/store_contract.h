// What every BlobStore promises, as tests. A store joins with a file of its own:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(StoreUnderTest{...}), name_of_store);
//
// and names there where it deviates; the suite holds it to the deviation as it holds others to the rule.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "store/store.h"

namespace dropscore::store {

enum class Deviation {
  folder_takes_name,        ///< "a" and "a/b" cannot both be blobs: creating the second is a `reject`
  hidden_names_refused,     ///< names that start with '.' or '~' or end in .tmp or .part: creating them is a `reject`
  etag_is_content_hash,     ///< equal bytes have equal ETags
  replaced_stays_readable,  ///< a blob that is replaced while read is read to its old end, instead of `changed`
};

/// A store that is empty, and what keeps it alive.
class StoreFixture {
 public:
  StoreFixture() = default;
  StoreFixture(const StoreFixture&) = delete;
  StoreFixture& operator=(const StoreFixture&) = delete;
  virtual ~StoreFixture() = default;
  virtual BlobStore& store() = 0;
  /// The same container opened a second time, as another process would; null where there is no such thing.
  virtual std::unique_ptr<BlobStore> open_again() = 0;
  virtual std::string container() const = 0;
};

struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<StoreFixture>()> make;
  std::set<Deviation> deviations;
};

/// Keeps the bytes of the struct, addresses among them, out of the tests' names.
inline void PrintTo(const StoreUnderTest& under_test, std::ostream* out) { *out << under_test.name; }

inline std::string name_of_store(const ::testing::TestParamInfo<StoreUnderTest>& info) { return info.param.name; }

class StoreContract : public ::testing::TestWithParam<StoreUnderTest> {
 protected:
  void SetUp() override { fixture_ = GetParam().make(); }
  BlobStore& store() { return fixture_->store(); }
  static bool deviates(Deviation deviation) { return GetParam().deviations.contains(deviation); }

  std::set<std::string> names();
  /// Writes without condition and metadata; fails the test where that fails.
  BlobInfo put(std::string_view name, std::string_view bytes, const Metadata& metadata = {});
  std::string get(std::string_view name);

  std::unique_ptr<StoreFixture> fixture_;
};

}  // namespace dropscore::store
