// What every Inbox promises, as tests. An inbox joins with a file of its own:
//
//   INSTANTIATE_TEST_SUITE_P(Local, InboxContract, ::testing::Values(InboxUnderTest{...}), name_of_inbox);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "event/inbox.h"

namespace dropscore::event {

/// An inbox to which nothing has come, and what keeps it alive.
class InboxFixture {
 public:
  InboxFixture() = default;
  InboxFixture(const InboxFixture&) = delete;
  InboxFixture& operator=(const InboxFixture&) = delete;
  virtual ~InboxFixture() = default;
  virtual Inbox& inbox() = 0;
  /// A blob of this name arrives, with new content.
  virtual void arrive(const std::string& blob) = 0;
};

struct InboxUnderTest {
  std::string name;
  std::function<std::unique_ptr<InboxFixture>()> make;
  std::chrono::milliseconds delay;  ///< of a retry: the least that this inbox can tell from none
};

/// Keeps the bytes of the struct, addresses among them, out of the tests' names.
inline void PrintTo(const InboxUnderTest& under_test, std::ostream* out) { *out << under_test.name; }

inline std::string name_of_inbox(const ::testing::TestParamInfo<InboxUnderTest>& info) { return info.param.name; }

class InboxContract : public ::testing::TestWithParam<InboxUnderTest> {
 protected:
  void SetUp() override { fixture_ = GetParam().make(); }
  Inbox& inbox() { return fixture_->inbox(); }

  /// Fails the test where nothing comes.
  Envelope take();
  bool nothing_comes();

  std::unique_ptr<InboxFixture> fixture_;
};

}  // namespace dropscore::event
