#include "store_contract.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "base/hash.h"
#include "base/limits.h"

namespace dropscore::store {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

namespace {

constexpr std::size_t ample = 64 * limits::mib;

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value()) << "an error was expected";
  return result ? ErrorKind::give_up : result.error().kind;
}

/// Reads to the end. The bytes, or the error that came before it.
Result<std::string> drain(ByteSource& source, std::size_t chunk_bytes = 1000) {
  std::string bytes;
  std::string chunk(chunk_bytes, '\0');
  for (;;) {
    DROPSCORE_TRY(const std::size_t got, source.read(chunk));
    if (got == 0) return bytes;
    bytes.append(chunk, 0, got);
  }
}

/// Bytes that tell by themselves where they belong.
std::string numbered_lines(std::size_t count, std::string_view word) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text.append(std::to_string(i)).append(word);
  return text;
}

}  // namespace

std::set<std::string> StoreContract::names() {
  std::set<std::string> found;
  const Status listed = store().list([&](const BlobInfo& info) { return found.insert(info.name), true; });
  EXPECT_TRUE(listed);
  return found;
}

BlobInfo StoreContract::put(std::string_view name, std::string_view bytes, const Metadata& metadata) {
  const auto written = write_all(store(), name, bytes, WriteCondition::always(), metadata);
  EXPECT_TRUE(written) << name << ": " << (written ? "" : written.error().detail.text);
  return written.value_or(BlobInfo{});
}

std::string StoreContract::get(std::string_view name) {
  const auto read = read_all(store(), name, ample);
  EXPECT_TRUE(read) << name << ": " << (read ? "" : read.error().detail.text);
  return read.value_or("");
}

TEST_P(StoreContract, KnowsItsContainersName) { EXPECT_EQ(store().container(), fixture_->container()); }

TEST_P(StoreContract, IsEmptyAtFirst) {
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(kind_of(store().properties("none.csv")), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store().open("none.csv", std::nullopt)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store().open("no/folder/none.csv", std::nullopt)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store().remove("none.csv", std::nullopt)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store().open("none.csv", "0x1")), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store().open("none.csv", "0x1", 5)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store().remove("none.csv", "0x1")), ErrorKind::not_found);
}

TEST_P(StoreContract, ReadsBackWhatWasWritten) {
  const BlobInfo written = put("customers.csv", "id,age\n1,2\n");
  EXPECT_EQ(written.name, "customers.csv");
  EXPECT_EQ(written.size_bytes, 11U);
  EXPECT_FALSE(written.etag.empty());
  EXPECT_EQ(get("customers.csv"), "id,age\n1,2\n");
  const auto properties = store().properties("customers.csv");
  ASSERT_TRUE(properties);
  EXPECT_EQ(properties->info.name, written.name);
  EXPECT_EQ(properties->info.etag, written.etag);
  EXPECT_EQ(properties->info.size_bytes, 11U);
  EXPECT_THAT(properties->metadata, IsEmpty());
}

TEST_P(StoreContract, KeepsEmptyBlobs) {
  EXPECT_EQ(put("empty.csv", "").size_bytes, 0U);
  EXPECT_EQ(get("empty.csv"), "");
  EXPECT_THAT(names(), UnorderedElementsAre("empty.csv"));
}

TEST_P(StoreContract, KeepsEveryByte) {
  std::string bytes(3 * 256, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i & 0xFFU);
  put("bytes.bin", bytes);
  EXPECT_EQ(get("bytes.bin"), bytes);
}

TEST_P(StoreContract, ReadsFromAnOffset) {
  const BlobInfo written = put("ten", "0123456789");
  for (const bool pinned : {false, true}) {
    const auto version = pinned ? std::optional<std::string>(written.etag) : std::nullopt;
    for (const std::uint64_t offset : {0U, 1U, 9U, 10U, 11U, 1000U}) {
      const auto source = store().open("ten", version, offset);
      ASSERT_TRUE(source) << offset;
      EXPECT_EQ(drain(**source, 4).value(), std::string("0123456789").substr(std::min<std::size_t>(offset, 10)));
    }
  }
}

TEST_P(StoreContract, ResumesAtAnyOffset) {
  const std::string bytes = numbered_lines(300'000, ",resumed\n");
  const std::string etag = put("x", bytes).etag;
  const std::size_t size = bytes.size();
  for (const std::size_t offset : {std::size_t{1}, size / 3, size / 2 + 1, limits::mib - 1, limits::mib, size - 1}) {
    const auto source = store().open("x", etag, offset);
    ASSERT_TRUE(source) << offset;
    EXPECT_EQ(content_hash_hex(drain(**source, 50'000).value()), content_hash_hex(bytes.substr(offset))) << offset;
  }
}

TEST_P(StoreContract, ReadAllHasALimit) {
  put("ten", "0123456789");
  EXPECT_EQ(*read_all(store(), "ten", 10), "0123456789");
  EXPECT_EQ(kind_of(read_all(store(), "ten", 9)), ErrorKind::too_large);
}

TEST_P(StoreContract, TakesNamesAsTheyAre) {
  const std::vector<std::string> wanted = {
      "with space.csv", "Zo\xC3\xAB/\xE2\x82\xAC.csv", "2024/01/31/deep.csv",         "100%+&?#.csv", "a.json/b",
      "a'b\"c.csv",     "\xF0\x9F\x98\x80.csv",        std::string(200, 'n') + ".csv"};
  for (const std::string& name : wanted) put(name, "of " + name);
  EXPECT_THAT(names(), ::testing::UnorderedElementsAreArray(wanted));
  for (const std::string& name : wanted) EXPECT_EQ(get(name), "of " + name);
}

TEST_P(StoreContract, RefusesBadNames) {
  const std::vector<std::string> bad = {"",
                                        "/",
                                        "/a",
                                        "a/",
                                        "a//b",
                                        ".",
                                        "..",
                                        "../a",
                                        "a/..",
                                        "a/../b",
                                        "./a",
                                        "a/./b",
                                        "\xFF",
                                        "a\xC3",
                                        std::string("a\0b", 3),
                                        std::string(limits::max_blob_name_bytes + 1, 'a')};
  for (const std::string& name : bad) {
    EXPECT_EQ(kind_of(store().create(name, WriteCondition::always())), ErrorKind::reject) << name;
    EXPECT_EQ(kind_of(store().properties(name)), ErrorKind::reject) << name;
    EXPECT_EQ(kind_of(store().open(name, std::nullopt)), ErrorKind::reject) << name;
    EXPECT_EQ(kind_of(store().remove(name, std::nullopt)), ErrorKind::reject) << name;
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(StoreContract, HiddenNames) {
  for (const std::string name : {".hidden", "~lock.csv", "a/.b/c", "half.tmp", "half.PART"}) {
    const auto written = write_all(store(), name, "x", WriteCondition::always(), {});
    if (deviates(Deviation::hidden_names_refused)) {
      EXPECT_EQ(kind_of(written), ErrorKind::reject) << name;
      EXPECT_EQ(kind_of(store().properties(name)), ErrorKind::not_found) << name;
    } else {
      EXPECT_TRUE(written) << name;
    }
  }
  EXPECT_EQ(names().empty(), deviates(Deviation::hidden_names_refused));
}

TEST_P(StoreContract, ABlobBesideAFolderOfItsName) {
  put("a", "the blob");
  const auto below = write_all(store(), "a/b", "below", WriteCondition::always(), {});
  put("c/d", "below");
  const auto above = write_all(store(), "c", "the blob", WriteCondition::always(), {});
  if (deviates(Deviation::folder_takes_name)) {
    EXPECT_EQ(kind_of(below), ErrorKind::reject);
    EXPECT_EQ(kind_of(above), ErrorKind::reject);
    EXPECT_EQ(kind_of(store().properties("c")), ErrorKind::not_found);
    EXPECT_EQ(kind_of(store().properties("a/b")), ErrorKind::not_found);
    EXPECT_THAT(names(), UnorderedElementsAre("a", "c/d"));
  } else {
    EXPECT_TRUE(below && above);
    EXPECT_THAT(names(), UnorderedElementsAre("a", "a/b", "c", "c/d"));
  }
}

TEST_P(StoreContract, ListEndsWhenTold) {
  for (int i = 0; i < 5; ++i) put(std::to_string(i), "x");
  int seen = 0;
  EXPECT_TRUE(store().list([&](const BlobInfo&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST_P(StoreContract, ListTellsWhatPropertiesTell) {
  const BlobInfo written = put("sub/x.csv", "12345");
  std::vector<BlobInfo> seen;
  ASSERT_TRUE(store().list([&](const BlobInfo& info) {
    seen.push_back(info);
    EXPECT_TRUE(store().properties(info.name)) << "the visitor may use the store";
    return true;
  }));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].name, "sub/x.csv");
  EXPECT_EQ(seen[0].etag, written.etag);
  EXPECT_EQ(seen[0].size_bytes, 5U);
}

TEST_P(StoreContract, MetadataBelongToTheirVersion) {
  const Metadata metadata = {{"model_version", "v1 \"quoted\" \\ Zo\xC3\xAB"}, {"source_etag", ""}, {"_n2", "a=b; c"}};
  put("r.json", "{}", metadata);
  EXPECT_EQ(store().properties("r.json")->metadata, metadata);
  EXPECT_THAT(names(), UnorderedElementsAre("r.json")) << "bookkeeping is not listed";
  put("r.json", "{}", {{"model_version", "v2"}});
  EXPECT_EQ(store().properties("r.json")->metadata, (Metadata{{"model_version", "v2"}}));
  put("r.json", "{\"other\":1}");
  EXPECT_THAT(store().properties("r.json")->metadata, IsEmpty());
}

TEST_P(StoreContract, MetadataKeepEveryValue) {
  const Metadata metadata = {{"name", "Zo\xC3\xAB, \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80"},
                             {"percent", "100%"},
                             {"encoded", "a%20b%C3%AB"},
                             {"spaces", "  both ends  "},
                             {"one_space", " "},
                             {"xml", "<a b=\"c\">&amp;]]></a>"},
                             {"lengthy", std::string(2000, 'v')}};
  put("x", "1", metadata);
  EXPECT_EQ(store().properties("x")->metadata, metadata);
}

TEST_P(StoreContract, ListsMetadata) {
  const std::map<std::string, Metadata> wanted = {
      {"none", {}}, {"two", {{"model_version", "v1 & <2>"}, {"_n2", "Zo\xC3\xAB"}}}, {"sub/one", {{"empty", ""}}}};
  for (const auto& [name, metadata] : wanted) put(name, "of " + name, metadata);
  std::map<std::string, Metadata> seen;
  ASSERT_TRUE(store().list_with_metadata([&](const BlobProperties& blob) {
    const auto alone = store().properties(blob.info.name);
    EXPECT_TRUE(alone && alone->info.etag == blob.info.etag && alone->info.size_bytes == blob.info.size_bytes);
    return seen.emplace(blob.info.name, blob.metadata).second;
  }));
  EXPECT_EQ(seen, wanted);
  int calls = 0;
  EXPECT_TRUE(store().list_with_metadata([&](const BlobProperties&) { return ++calls < 2; }));
  EXPECT_EQ(calls, 2);
}

TEST_P(StoreContract, MetadataDoNotMeetUnderLikeNames) {
  const std::string lengthy(240, 'n');
  const std::vector<std::string> wanted = {"x",           "x.json", "y.json/x", "y",
                                           "z.json.json", "z.json", lengthy,    "s/" + lengthy};
  for (const std::string& name : wanted) put(name, "same", {{"of", name}});
  for (const std::string& name : wanted) EXPECT_EQ(store().properties(name)->metadata, (Metadata{{"of", name}}));
}

TEST_P(StoreContract, RefusesBadMetadata) {
  for (const Metadata& bad : {Metadata{{"Upper", "x"}}, Metadata{{"", "x"}}, Metadata{{"1st", "x"}},
                              Metadata{{"da-sh", "x"}}, Metadata{{"k", "two\nlines"}}, Metadata{{"k", "\xFF"}},
                              Metadata{{"k", std::string(max_metadata_bytes, 'x')}}}) {
    EXPECT_EQ(kind_of(write_all(store(), "x", "x", WriteCondition::always(), bad)), ErrorKind::misuse);
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(StoreContract, EtagsFollowTheContent) {
  const std::string first = put("x", "first").etag;
  const std::string second = put("x", "later").etag;
  EXPECT_NE(first, second);
  EXPECT_EQ(store().properties("x")->info.etag, second);
  const std::string again = put("y", "first").etag;
  if (deviates(Deviation::etag_is_content_hash)) {
    EXPECT_EQ(again, first);
    EXPECT_EQ(first, content_hash_hex("first"));
  }
}

TEST_P(StoreContract, IfAbsent) {
  const auto first = write_all(store(), "x", "1", WriteCondition::if_absent(), {{"k", "1"}});
  ASSERT_TRUE(first);
  EXPECT_EQ(kind_of(write_all(store(), "x", "2", WriteCondition::if_absent(), {{"k", "2"}})), ErrorKind::changed);
  EXPECT_EQ(get("x"), "1");
  EXPECT_EQ(store().properties("x")->metadata, (Metadata{{"k", "1"}})) << "the loser leaves the winner's metadata";
  ASSERT_TRUE(store().remove("x", std::nullopt));
  EXPECT_TRUE(write_all(store(), "x", "3", WriteCondition::if_absent(), {}));
  EXPECT_THAT(store().properties("x")->metadata, IsEmpty()) << "a removed blob's metadata are gone";
}

TEST_P(StoreContract, IfMatch) {
  EXPECT_EQ(kind_of(write_all(store(), "x", "0", WriteCondition::if_match("none"), {})), ErrorKind::changed);
  const std::string first = put("x", "1").etag;
  const auto second = write_all(store(), "x", "2", WriteCondition::if_match(first), {});
  ASSERT_TRUE(second);
  EXPECT_EQ(kind_of(write_all(store(), "x", "3", WriteCondition::if_match(first), {})), ErrorKind::changed);
  EXPECT_EQ(get("x"), "2");
  ASSERT_TRUE(store().remove("x", std::nullopt));
  EXPECT_EQ(kind_of(write_all(store(), "x", "4", WriteCondition::if_match(second->etag), {})), ErrorKind::changed);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(StoreContract, ConditionsAreLookedAtOnCommit) {
  auto writer = store().create("x", WriteCondition::if_absent());
  ASSERT_TRUE(writer && (*writer)->write("late"));
  put("x", "early");
  EXPECT_EQ(kind_of((*writer)->commit({})), ErrorKind::changed);
  EXPECT_EQ(get("x"), "early");
}

TEST_P(StoreContract, NothingIsSeenBeforeCommit) {
  auto writer = store().create("sub/x", WriteCondition::always());
  ASSERT_TRUE(writer && (*writer)->write("half"));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(kind_of(store().properties("sub/x")), ErrorKind::not_found);
  ASSERT_TRUE((*writer)->write(" and half") && (*writer)->commit({}));
  EXPECT_EQ(get("sub/x"), "half and half");
}

TEST_P(StoreContract, ADestroyedWriterLeavesNoTrace) {
  const std::string etag = put("x", "old", {{"k", "old"}}).etag;
  {
    auto writer = store().create("x", WriteCondition::always());
    ASSERT_TRUE(writer && (*writer)->write("new"));
  }
  EXPECT_EQ(get("x"), "old");
  EXPECT_EQ(store().properties("x")->info.etag, etag);
  EXPECT_EQ(store().properties("x")->metadata, (Metadata{{"k", "old"}}));
}

TEST_P(StoreContract, AWriterCommitsOnce) {
  auto writer = store().create("x", WriteCondition::always());
  ASSERT_TRUE(writer && (*writer)->write("1") && (*writer)->commit({}));
  EXPECT_EQ(kind_of((*writer)->commit({})), ErrorKind::misuse);
}

TEST_P(StoreContract, StreamsALargeBlob) {
  const std::string piece = numbered_lines(100'000, ",large blob\n");
  ContentHash written;
  auto writer = store().create("large.csv", WriteCondition::always());
  ASSERT_TRUE(writer);
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE((*writer)->write(piece));
    written.update(piece);
  }
  const auto info = (*writer)->commit({});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->size_bytes, 12 * piece.size());
  const auto source = store().open("large.csv", info->etag);
  ASSERT_TRUE(source);
  ContentHash read;
  std::string chunk(limits::read_chunk_bytes, '\0');
  for (std::size_t got = 1; got != 0;) {
    const auto part = (*source)->read(chunk);
    ASSERT_TRUE(part);
    got = *part;
    read.update(std::string_view(chunk).substr(0, got));
  }
  EXPECT_EQ(read.hex(), written.hex());
}

TEST_P(StoreContract, OpensOnlyTheVersionAskedFor) {
  const std::string first = put("x", "first").etag;
  ASSERT_TRUE(store().open("x", first));
  put("x", "later");
  EXPECT_EQ(kind_of(store().open("x", first)), ErrorKind::changed);
}

TEST_P(StoreContract, NeverMixesTwoVersions) {
  const std::string first = numbered_lines(200'000, ",one\n");
  const std::string second = numbered_lines(200'000, ",two\n");
  const std::string etag = put("x", first).etag;
  const auto source = store().open("x", etag);
  ASSERT_TRUE(source);
  std::string begun(100, '\0');
  begun.resize((*source)->read(begun).value());
  put("x", second);
  const auto rest = drain(**source);
  if (deviates(Deviation::replaced_stays_readable)) {
    ASSERT_TRUE(rest);
    EXPECT_EQ(begun + *rest, first);
  } else {
    EXPECT_EQ(kind_of(rest), ErrorKind::changed);
  }
}

TEST_P(StoreContract, RemovesTheVersionAskedFor) {
  const std::string first = put("x", "first", {{"k", "v"}}).etag;
  const std::string second = put("x", "second").etag;
  EXPECT_EQ(kind_of(store().remove("x", first)), ErrorKind::changed);
  EXPECT_EQ(get("x"), "second");
  EXPECT_TRUE(store().remove("x", second));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(kind_of(store().remove("x", second)), ErrorKind::not_found);
}

TEST_P(StoreContract, OfManyWhoWriteIfAbsentOneWins) {
  constexpr int writers = 8;
  const auto again = fixture_->open_again();
  for (int round = 0; round < 4; ++round) {
    const std::string name = "round/" + std::to_string(round);
    std::atomic<int> winners = 0;
    std::atomic<int> losers = 0;
    std::string winner;
    std::vector<std::thread> threads;
    for (int i = 0; i < writers; ++i) {
      threads.emplace_back([&, i] {
        BlobStore& mine = again && i % 2 == 0 ? *again : store();
        const std::string text = "writer " + std::to_string(i);
        const auto written = write_all(mine, name, text, WriteCondition::if_absent(), {{"by", text}});
        if (written) {
          ++winners;
          winner = text;  // one thread at most comes here, which is what is tested
        } else if (written.error().kind == ErrorKind::changed) {
          ++losers;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, writers - 1);
    EXPECT_EQ(get(name), winner);
    EXPECT_EQ(store().properties(name)->metadata, (Metadata{{"by", winner}}));
  }
}

TEST_P(StoreContract, OfTwoLargeBlobsWrittenIfAbsentOneWins) {
  const auto again = fixture_->open_again();
  for (int round = 0; round < 3; ++round) {
    const std::string name = "large/" + std::to_string(round);
    const std::vector<std::string> bytes = {numbered_lines(300'000, ",one\n"), numbered_lines(300'000, ",two\n")};
    std::vector<std::unique_ptr<BlobWriter>> writers;
    writers.push_back(store().create(name, WriteCondition::if_absent()).value());
    writers.push_back((again ? *again : store()).create(name, WriteCondition::if_absent()).value());
    for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(writers[i]->write(bytes[i]));
    std::vector<Result<BlobInfo>> outcomes(2, fail(ErrorKind::give_up, "did not run"));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 2; ++i) threads.emplace_back([&, i] { outcomes[i] = writers[i]->commit({}); });
    for (std::thread& thread : threads) thread.join();
    ASSERT_NE(outcomes[0].has_value(), outcomes[1].has_value());
    const std::size_t winner = outcomes[0] ? 0 : 1;
    EXPECT_EQ(kind_of(outcomes[1 - winner]), ErrorKind::changed);
    EXPECT_EQ(content_hash_hex(get(name)), content_hash_hex(bytes[winner]));
  }
}

TEST_P(StoreContract, IfMatchLosesNoUpdate) {
  constexpr int writers = 4;
  constexpr int increments = 10;
  put("count", "0");
  const auto again = fixture_->open_again();
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      BlobStore& mine = again && i % 2 == 0 ? *again : store();
      for (int done = 0; done < increments;) {
        const auto properties = mine.properties("count");
        if (!properties) continue;
        const auto source = mine.open("count", properties->info.etag);
        if (!source) continue;
        const auto text = drain(**source);
        if (!text) continue;
        const std::string next = std::to_string(std::stoi(*text) + 1);
        if (write_all(mine, "count", next, WriteCondition::if_match(properties->info.etag), {})) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(get("count"), std::to_string(writers * increments));
}

TEST_P(StoreContract, ListsWhileBlobsComeAndGo) {
  put("stays", "x");
  std::atomic<bool> done = false;
  std::thread other([&] {
    for (int i = 0; i < 60; ++i) {
      const std::string name = "d" + std::to_string(i % 3) + "/f" + std::to_string(i);
      EXPECT_TRUE(write_all(store(), name, name, WriteCondition::always(), {}));
      EXPECT_TRUE(store().remove(name, std::nullopt));
    }
    done = true;
  });
  while (!done) EXPECT_TRUE(names().contains("stays"));
  other.join();
}

}  // namespace dropscore::store
