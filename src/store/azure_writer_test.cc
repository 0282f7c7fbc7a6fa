// Writing to a service whose answers get lost, and what goes over the wire.
#include "store/azure_writer.h"

#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "store/azure_blocks.h"
#include "store/azure_test_service.h"

namespace dropscore::store {
namespace {

using ::testing::ElementsAre;
using Answer = AzureTestService::Answer;
using Request = AzureTestService::Request;
using Kind = WriteCondition::Kind;

constexpr std::size_t block_bytes = 1000;

std::string md5_of(std::string_view bytes) {
  Md5 md5;
  md5.update(bytes);
  return md5.base64();
}

AzureStoreOptions one_after_the_other() {
  AzureStoreOptions options = AzureTestService::options();
  options.parallel_blocks = 1;
  return options;
}

bool is_block(const Request& request) { return request.parameter("comp") == "block"; }
bool is_commit(const Request& request) { return request.method == "PUT" && request.parameter("comp") != "block"; }

TEST(AzureWriter, ASmallBlobIsOneRequest) {
  AzureTestService service;
  const auto store = service.open();
  const std::string bytes = numbered_bytes(block_bytes);
  const auto written =
      write_all(*store, "dir/a b.json", bytes, WriteCondition::if_absent(), {{"model", "v1"}, {"name", "Zo\xC3\xAB"}});
  ASSERT_TRUE(written);
  ASSERT_EQ(service.requests.size(), 1U);
  const Request& sent = service.requests[0];
  EXPECT_EQ(sent.path, "/acct/box/dir/a%20b.json");
  EXPECT_EQ(sent.header("x-ms-blob-type"), "BlockBlob");
  EXPECT_EQ(sent.header("x-ms-blob-content-type"), "application/json");
  EXPECT_EQ(sent.header("x-ms-blob-content-md5"), md5_of(bytes));
  EXPECT_EQ(sent.header("x-ms-meta-model"), "v1");
  EXPECT_EQ(sent.header("x-ms-meta-name"), "Zo%C3%AB");
  EXPECT_EQ(sent.header("if-none-match"), "*");
  EXPECT_FALSE(sent.has("if-match"));
  EXPECT_EQ(sent.body, bytes);
  EXPECT_EQ(written->name, "dir/a b.json");
  EXPECT_EQ(written->size_bytes, bytes.size());
  EXPECT_EQ(written->etag, service.blobs["dir/a%20b.json"].etag);
}

TEST(AzureWriter, ALargeBlobIsBlocksAndTheirList) {
  AzureTestService service;
  const std::string first = service.put("x.csv", "old").etag;
  const auto store = service.open(one_after_the_other());
  const std::string bytes = numbered_bytes(2 * block_bytes + 1);
  auto writer = store->create("x.csv", WriteCondition::if_match(first));
  // In pieces that meet the blocks' ends and pass over them.
  for (const std::size_t at : {0U, 400U, 1000U}) {
    const std::size_t end = at == 0 ? 400 : at == 400 ? 1000 : bytes.size();
    ASSERT_TRUE((*writer)->write(std::string_view(bytes).substr(at, end - at)));
  }
  ASSERT_TRUE((*writer)->commit({{"k", "v"}}));
  ASSERT_EQ(service.requests.size(), 4U);
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    const Request& block = service.requests[static_cast<std::size_t>(i)];
    EXPECT_EQ(block.parameter("comp"), "block");
    EXPECT_EQ(block.body.size(), i < 2 ? block_bytes : 1U);
    EXPECT_FALSE(block.has("if-match")) << "the condition is the commit's";
    ids.insert(block.parameter("blockid"));
  }
  EXPECT_EQ(ids.size(), 3U);
  const Request& list = service.requests[3];
  EXPECT_EQ(list.parameter("comp"), "blocklist");
  EXPECT_EQ(list.header("if-match"), "\"" + first + "\"");
  EXPECT_EQ(list.header("x-ms-blob-content-type"), "text/csv");
  EXPECT_EQ(list.header("x-ms-blob-content-md5"), md5_of(bytes));
  EXPECT_EQ(list.header("x-ms-meta-k"), "v");
  EXPECT_EQ(service.blobs["x.csv"].bytes, bytes);
  EXPECT_EQ(service.connections(), 1U);
}

TEST(AzureWriter, BlockIdsAreOfOneLengthAndOfOneWriter) {
  const std::string writer = random_id();
  std::set<std::string> ids;
  for (const std::size_t index : {0UL, 1UL, 9UL, 10UL, max_blocks - 1}) {
    const std::string id = block_id(writer, index);
    EXPECT_EQ(id.size(), 64U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << "base64 that no URL has to encode";
    ids.insert(id);
    EXPECT_NE(id, block_id(random_id(), index));
  }
  EXPECT_EQ(ids.size(), 5U);
}

TEST(AzureWriter, BlocksGrowSoThatTheyAreNeverTooMany) {
  EXPECT_EQ(block_bytes_at(4 * limits::mib, 0), 4 * limits::mib);
  EXPECT_EQ(block_bytes_at(4 * limits::mib, 4'999), 4 * limits::mib);
  EXPECT_EQ(block_bytes_at(4 * limits::mib, 5'000), 8 * limits::mib);
  EXPECT_EQ(block_bytes_at(256 * limits::mib, max_blocks - 1), max_block_bytes);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < max_blocks; ++i) total += block_bytes_at(4 * limits::mib, i);
  EXPECT_GT(total, 19ULL << 40U) << "19 TiB";
}

TEST(AzureWriter, TakesLargerBlocksAsItGoes) {
  AzureTestService service;
  const auto store = service.open(AzureTestService::options(1));
  const std::string bytes = numbered_bytes(5'000 + 2 * 3 + 1);
  ASSERT_TRUE(write_all(*store, "x", bytes, WriteCondition::always(), {}));
  EXPECT_EQ(service.count("PUT", "block"), 5'000U + 3 + 1);
  EXPECT_EQ(service.blobs["x"].bytes, bytes);
}

struct Lost {
  const char* name;
  std::size_t bytes;
  Kind kind;
};

std::string name_of_lost(const ::testing::TestParamInfo<Lost>& info) { return info.param.name; }

/// Of Put Blob and Put Block List, under every condition.
class LostAnswer : public ::testing::TestWithParam<Lost> {
 protected:
  LostAnswer() {
    if (GetParam().kind == Kind::if_match) condition_.etag = service_.put("x", "old").etag;
    condition_.kind = GetParam().kind;
  }
  Result<BlobInfo> write() { return write_all(*service_.open(), "x", bytes_, condition_, {{"by", "us"}}); }
  bool conditional() const { return GetParam().kind != Kind::always; }

  AzureTestService service_;
  WriteCondition condition_;
  std::string bytes_ = numbered_bytes(GetParam().bytes);
};

TEST_P(LostAnswer, WhatTookEffectIsSuccess) {
  service_.spoil = [n = 0](const Request& request, Answer& answer) mutable {
    if (is_commit(request)) answer.silent = n++ == 0;
  };
  const auto written = write();
  ASSERT_TRUE(written) << written.error().detail.text;
  EXPECT_EQ(written->etag, service_.blobs["x"].etag);
  EXPECT_EQ(written->size_bytes, bytes_.size());
  EXPECT_EQ(service_.blobs["x"].bytes, bytes_);
  EXPECT_EQ(service_.count("HEAD"), conditional() ? 1U : 0U);
}

class LostConditional : public LostAnswer {};
class LostIfMatch : public LostAnswer {};

TEST_P(LostConditional, WhatSomebodyElsePublishedIsNotOurs) {
  for (const bool same_bytes : {true, false}) {
    // The first try got nowhere, and meanwhile another one published: the same bytes with other metadata, or others.
    bool first = true;
    service_.instead = [&](const Request& request) -> std::optional<Answer> {
      if (!is_commit(request) || !std::exchange(first, false)) return std::nullopt;
      auto& theirs = service_.put("x", same_bytes ? bytes_ : numbered_bytes(bytes_.size(), 9));
      theirs.headers = {{"Content-MD5", md5_of(theirs.bytes)}, {"x-ms-meta-by", same_bytes ? "them" : "us"}};
      return Answer{.silent = true};
    };
    const auto written = write();
    ASSERT_FALSE(written);
    EXPECT_EQ(name(written.error().kind), name(ErrorKind::changed));
    if (GetParam().kind == Kind::if_absent) service_.blobs.clear();
  }
}

TEST_P(LostIfMatch, WhatIsGoneAgainIsNotOurs) {
  bool first = true;
  service_.instead = [&](const Request& request) -> std::optional<Answer> {
    if (!is_commit(request) || !std::exchange(first, false)) return std::nullopt;
    service_.blobs.clear();
    return Answer{.silent = true};
  };
  const auto written = write();
  ASSERT_FALSE(written);
  EXPECT_EQ(name(written.error().kind), name(ErrorKind::changed));
}

constexpr Lost always_blob{"blob_always", block_bytes, Kind::always};
constexpr Lost always_blocks{"blocks_always", 3 * block_bytes, Kind::always};
constexpr Lost if_absent_blob{"blob_if_absent", block_bytes, Kind::if_absent};
constexpr Lost if_absent_blocks{"blocks_if_absent", 3 * block_bytes, Kind::if_absent};
constexpr Lost if_match_blob{"blob_if_match", block_bytes, Kind::if_match};
constexpr Lost if_match_blocks{"blocks_if_match", 3 * block_bytes, Kind::if_match};

INSTANTIATE_TEST_SUITE_P(Azure, LostAnswer,
                         ::testing::Values(always_blob, always_blocks, if_absent_blob, if_absent_blocks, if_match_blob,
                                           if_match_blocks),
                         name_of_lost);
INSTANTIATE_TEST_SUITE_P(Azure, LostConditional,
                         ::testing::Values(if_absent_blob, if_absent_blocks, if_match_blob, if_match_blocks),
                         name_of_lost);
INSTANTIATE_TEST_SUITE_P(Azure, LostIfMatch, ::testing::Values(if_match_blob, if_match_blocks), name_of_lost);

TEST(AzureWriter, ALostBlockIsSentAgainUnderItsId) {
  AzureTestService service;
  service.spoil = [lost = std::set<std::string>()](const Request& request, Answer& answer) mutable {
    answer.silent = is_block(request) && lost.insert(request.parameter("blockid")).second;
  };
  const std::string bytes = numbered_bytes(4 * block_bytes);
  ASSERT_TRUE(write_all(*service.open(), "x", bytes, WriteCondition::always(), {}));
  EXPECT_EQ(service.blobs["x"].bytes, bytes);
  EXPECT_EQ(service.count("PUT", "block"), 8U);
  EXPECT_EQ(service.blobs["x"].blocks.size(), 4U);
}

TEST(AzureWriter, LosesItsBlocksToWhoeverPublishesFirst) {
  for (const auto& [condition, kind] : {std::pair(WriteCondition::if_absent(), ErrorKind::changed),
                                        std::pair(WriteCondition::always(), ErrorKind::try_later)}) {
    AzureTestService service;
    service.instead = [&](const Request& request) -> std::optional<Answer> {
      if (request.parameter("comp") != "blocklist") return std::nullopt;
      return AzureTestService::refusal(400, "InvalidBlockList");
    };
    const auto written = write_all(*service.open(), "x", numbered_bytes(3 * block_bytes), condition, {});
    ASSERT_FALSE(written);
    EXPECT_EQ(name(written.error().kind), name(kind));
  }
}

TEST(AzureWriter, IsOfNoUseAfterAFailure) {
  AzureTestService service;
  std::atomic<bool> failing = true;
  service.instead = [&](const Request&) -> std::optional<Answer> {
    if (!failing) return std::nullopt;
    return AzureTestService::refusal(403, "AuthorizationFailure");
  };
  const auto store = service.open();
  auto writer = store->create("x", WriteCondition::always());
  EXPECT_FALSE((*writer)->write(numbered_bytes(6 * block_bytes))) << "more than may be on their way";
  failing = false;
  EXPECT_FALSE((*writer)->write("more"));
  EXPECT_FALSE((*writer)->commit({}));
  EXPECT_TRUE(service.blobs.empty());
}

TEST(AzureWriter, AFailureOfABlockOnItsWayIsTheCommits) {
  AzureTestService service;
  service.instead = [](const Request& request) -> std::optional<Answer> {
    if (!request.parameter("blockid").ends_with("1")) return std::nullopt;
    return AzureTestService::refusal(403, "AuthorizationFailure");
  };
  const auto written = write_all(*service.open(), "x", numbered_bytes(3 * block_bytes), WriteCondition::always(), {});
  ASSERT_FALSE(written);
  EXPECT_EQ(name(written.error().kind), name(ErrorKind::try_later));
  EXPECT_EQ(service.count("PUT", "blocklist"), 0U);
}

TEST(AzureWriter, SendsAsManyBlocksAtATimeAsMayBe) {
  AzureTestService service;
  service.spoil = [&](const Request& request, Answer&) {
    // The first answer is held back until the others have asked.
    for (int i = 0; i < 2'000 && is_block(request) && service.connections() < 3; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  const std::string bytes = numbered_bytes(20 * block_bytes + 7);
  ASSERT_TRUE(write_all(*service.open(), "x", bytes, WriteCondition::always(), {}));
  EXPECT_EQ(service.connections(), AzureStoreOptions().parallel_blocks);
  EXPECT_EQ(service.blobs["x"].bytes, bytes);
}

TEST(AzureWriter, AbandonedItWaitsForWhatIsOnItsWay) {
  AzureTestService service;
  const auto store = service.open();
  auto writer = store->create("x", WriteCondition::always());
  EXPECT_TRUE((*writer)->write(numbered_bytes(3 * block_bytes)));
  writer->reset();
  EXPECT_EQ(service.count("PUT", "block"), 2U) << "the third was not sent: more might have come";
  EXPECT_TRUE(service.blobs.empty());
}

RC_GTEST_PROP(AzureWriter, BlocksArriveInAnyOrder, ()) {
  AzureTestService service;
  std::minstd_rand random(*rc::gen::arbitrary<unsigned>());
  service.spoil = [&](const Request& request, Answer& answer) {
    if (!is_block(request)) return;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
    answer.silent = random() % 16 == 0;
  };
  AzureStoreOptions options = AzureTestService::options();
  options.parallel_blocks = *rc::gen::inRange<std::size_t>(1, 6);
  options.retry.max_tries = 20;
  const std::string bytes = numbered_bytes(*rc::gen::inRange<std::size_t>(0, 20 * block_bytes));
  const auto store = service.open(options);
  auto writer = store->create("x", WriteCondition::always());
  for (std::size_t at = 0; at < bytes.size();) {
    const auto count = *rc::gen::inRange<std::size_t>(1, 3 * block_bytes);
    RC_ASSERT((*writer)->write(std::string_view(bytes).substr(at, count)).has_value());
    at += count;
  }
  RC_ASSERT((*writer)->commit({}).has_value());
  RC_ASSERT(service.blobs["x"].bytes == bytes);
}

TEST(AzureWriter, ContentTypesByName) {
  EXPECT_EQ(content_type_of("a/b.json"), "application/json");
  EXPECT_EQ(content_type_of("b.CSV"), "text/csv");
  for (const char* other : {"b", "json", "csv", "b.csv.gz", "b.jso", "a.csv/b", ""}) {
    EXPECT_EQ(content_type_of(other), "application/octet-stream") << other;
  }
}

TEST(AzureMetadata, KnownForms) {
  const auto wire = [](const char* value) { return metadata_headers({{"k", value}}).value().at(0).value; };
  EXPECT_EQ(wire("plain, \"quoted\" \\ a=b; c"), "plain, \"quoted\" \\ a=b; c");
  EXPECT_EQ(wire(""), "%00");
  EXPECT_EQ(wire("50% off"), "50% off") << "no reader takes it for encoded";
  EXPECT_EQ(wire("50%25"), "50%2525");
  EXPECT_EQ(wire(" x"), "%20x");
  EXPECT_EQ(metadata_value_from_wire("100% %zz"), "100% %zz") << "as others write it";
  EXPECT_EQ(metadata_value_from_wire("%FF"), "%FF");
  EXPECT_THAT(metadata_of({{"X-MS-Meta-Key", "v"}, {"x-ms-meta-", "v"}, {"ETag", "v"}}),
              ElementsAre(std::pair("key", "v")));
}

RC_GTEST_PROP(AzureMetadata, EveryValueSurvivesAHeader, (const std::vector<char32_t>& code_points)) {
  std::string value;
  for (const char32_t code : code_points) {
    const char32_t valid = code % 0x110000;
    if (valid >= 0x20 && valid != 0x7F && (valid < 0xD800 || valid > 0xDFFF)) append_utf8(value, valid);
  }
  for (const std::string& text : {value, "%" + value, value + "%2", "% " + value + " ", value + "%25"}) {
    const auto headers = metadata_headers({{"k", text}});
    RC_PRE(headers.has_value());
    const std::string& wire = headers->at(0).value;
    RC_ASSERT(!wire.empty() && wire.front() != ' ' && wire.back() != ' ');
    for (const char c : wire) RC_ASSERT(c >= 0x20 && c <= 0x7E);
    RC_ASSERT(metadata_of(*headers) == (Metadata{{"k", text}}));
  }
}

TEST(AzureMetadata, WhatDoesNotFitOnceEncodedIsRefusedBeforeTheService) {
  AzureTestService service;
  const Metadata metadata = {{"k", std::string(3000, '\xC3').replace(1, 2999, "")}};
  EXPECT_FALSE(metadata_headers(metadata)) << "not UTF-8";
  std::string lengthy;
  for (int i = 0; i < 2000; ++i) lengthy += "\xC3\xAB";
  const auto written = write_all(*service.open(), "x", "x", WriteCondition::always(), {{"k", lengthy}});
  ASSERT_FALSE(written);
  EXPECT_EQ(name(written.error().kind), name(ErrorKind::misuse));
  EXPECT_TRUE(service.requests.empty());
}

}  // namespace
}  // namespace dropscore::store
