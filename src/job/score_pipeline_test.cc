#include "job/score_pipeline.h"

#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/json_writer.h"
#include "base/text_source.h"
#include "job/score_stream.h"
#include "telemetry/heartbeat.h"
#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

using ::testing::HasSubstr;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

/// All that a caller gets to see.
struct Answer {
  std::string text;
  std::string error;
  std::string rejections;
  std::vector<std::string> notes;
  std::uint64_t scored = 0;
  std::uint64_t rejected = 0;
  std::uint64_t bytes_read = 0;
  bool operator==(const Answer&) const = default;
};

template <class Scoring>
Answer answer_of(const Scoring& scoring, std::string text, std::string error) {
  const ScoreCounts counts = scoring.counts();
  if (!error.empty()) text.clear();
  return {std::move(text), std::move(error), scoring.rejections_json(), scoring.notes(),
          counts.scored,   counts.rejected,  counts.bytes_read};
}

Answer by_pipeline(const std::string& text, const ScoreOptions& options, std::size_t most_read) {
  TextSource source(text, most_read);
  ScorePipeline pipeline(dropscore::testing::tiny_model(), options);
  std::string out;
  const auto write = [&out](std::string_view piece) -> Status {
    out += piece;
    return {};
  };
  const Status done = pipeline.run(source, write);
  return answer_of(pipeline, std::move(out), done ? "" : done.error().customer.text);
}

Answer by_stream(std::string_view text, const ScoreOptions& options) {
  ScoreStream stream(dropscore::testing::tiny_model(), options);
  std::string out;
  for (;;) {
    const auto step = stream.next(out);
    if (!step) return answer_of(stream, std::move(out), step.error().customer.text);
    if (*step == ScoreStream::Step::end) return answer_of(stream, std::move(out), "");
    if (*step == ScoreStream::Step::output) continue;
    const std::span<char> room = stream.room();
    const std::size_t count = text.copy(room.data(), std::min<std::size_t>(room.size(), 1000));
    text.remove_prefix(count);
    if (count == 0) stream.finish();
    if (count > 0) stream.commit(count);
  }
}

std::string random_rows(Random& random, std::size_t count) {
  static const std::vector<std::string> ages = {"41", "39.5", "20", "12345678901234567890", "", "old", " 50", "\"40\""};
  static const std::vector<std::string> channels = {"SEO", "PPC", "Email", "Pigeon", "\"SEO\"", "\"S\nEO\"", "PPC "};
  static const std::vector<std::string> notes = {
      "", "x", "\"a,b\"", "\"two\r\nlines\"", "say \"hi\"", "Malm\xC3\xB6", "\xE9", "\"", "one,two"};
  const std::size_t oddness = below(random, 4);  // how much of a file is out of the ordinary
  const auto pick = [&](const std::vector<std::string>& from, std::size_t usual) {
    const bool odd = oddness > 0 && below(random, std::size_t{5} * (4 - oddness)) == 0;
    return from[below(random, odd ? from.size() : usual)];
  };
  const std::string line_end = below(random, 2) == 0 ? "\n" : "\r\n";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += pick(notes, 2) + "," + pick(channels, 3) + "," + pick(ages, 3) + line_end;
    if (oddness > 0 && below(random, 50) == 0) text += line_end;
  }
  return text;
}

RC_GTEST_PROP(ScorePipeline, BytesDoNotDependOnThreadsNorOnHowTheyCame, (unsigned seed)) {
  Random random(seed);
  std::string text = "Note,Channel,Age\n";
  const std::string rows = random_rows(random, 500);
  const std::size_t size = below(random, 4) == 0 ? 900'000 : 20'000;  // one in four is large enough for threads
  while (text.size() < size) text += rows;
  if (below(random, 2) == 0) text.resize(text.size() - 1 - below(random, 5));
  ScoreOptions options;
  options.format = below(random, 2) == 0 ? Format::csv : Format::json;
  options.max_errors = below(random, 3000);
  if (below(random, 3) == 0) options.max_row_bytes = 16 + below(random, 30);
  const Answer expected = by_stream(text, options);
  for (const unsigned threads : {1U, 2U, 3U}) {
    options.threads = threads;
    const Answer found = by_pipeline(text, options, 1 + below(random, 300'000));
    RC_ASSERT(found.error == expected.error);
    RC_ASSERT(found.text == expected.text);
    RC_ASSERT(found == expected);
  }
}

/// Good rows without end, up to a number of bytes.
class Rows final : public ByteSource {
 public:
  explicit Rows(std::uint64_t bytes) : left_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    readers.insert(std::this_thread::get_id());
    if (fail_at_end && left_ == 0) return fail(ErrorKind::try_later, "the disk is broken");
    const std::size_t count = std::min({out.size(), text_.size() - at_, static_cast<std::size_t>(left_)});
    text_.copy(out.data(), count, at_);
    at_ = (at_ + count) % text_.size();
    left_ -= count;
    given += count;
    return count;
  }
  std::atomic<std::uint64_t> given = 0;  // read by the writer while another thread reads on
  bool fail_at_end = false;
  std::set<std::thread::id> readers;

 private:
  static std::string make() {
    std::string rows;
    while (rows.size() < 200'000) rows += "50,SEO,some text that stands in the way\n";
    return "Age,Channel,Text\n" + rows;
  }
  std::string text_ = make();
  std::size_t at_ = 0;
  std::uint64_t left_;
};

ScoreOptions csv_on(unsigned threads) {
  ScoreOptions options;
  options.format = Format::csv;
  options.threads = threads;
  return options;
}

TEST(ScorePipeline, ASlowWriterHoldsTheReadingBack) {
  Rows source(30'000'000);
  ScorePipeline pipeline(dropscore::testing::tiny_model(), csv_on(3));
  std::uint64_t written = 0;
  std::uint64_t most_ahead = 0;
  const Status done = pipeline.run(source, [&](std::string_view text) -> Status {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    written += text.size();  // a scored row is longer than the row was
    if (source.given > written) most_ahead = std::max<std::uint64_t>(most_ahead, source.given - written);
    return {};
  });
  ASSERT_TRUE(done);
  EXPECT_LT(most_ahead, 4'000'000U);
}

TEST(ScorePipeline, ASmallFileStaysOnTheCallersThread) {
  Rows source(300'000);
  ScorePipeline pipeline(dropscore::testing::tiny_model(), csv_on(3));
  ASSERT_TRUE(pipeline.run(source, [](std::string_view) { return Status(); }));
  EXPECT_THAT(source.readers, ::testing::ElementsAre(std::this_thread::get_id()));
}

TEST(ScorePipeline, AFaultOfTheSourceOrTheSinkEndsIt) {
  for (const unsigned threads : {1U, 3U}) {
    Rows broken(5'000'000);
    broken.fail_at_end = true;
    ScorePipeline reading(dropscore::testing::tiny_model(), csv_on(threads));
    const Status unread = reading.run(broken, [](std::string_view) { return Status(); });
    ASSERT_FALSE(unread);
    EXPECT_THAT(unread.error().customer.text, HasSubstr("disk"));

    Rows endless(std::uint64_t{1} << 60U);
    ScorePipeline writing(dropscore::testing::tiny_model(), csv_on(threads));
    std::uint64_t written = 0;
    const Status unwritten = writing.run(endless, [&written](std::string_view text) -> Status {
      written += text.size();
      if (written > 3'000'000) return fail(ErrorKind::try_later, "the disk is full");
      return {};
    });
    ASSERT_FALSE(unwritten);
    EXPECT_THAT(unwritten.error().customer.text, HasSubstr("full"));
  }
}

TEST(ScorePipeline, NothingIsWrittenOfAFileOfBadRows) {
  std::string text = "Age,Channel\n";
  for (int i = 0; i < 100'000; ++i) text += "old,SEO\n";
  ScoreOptions options = csv_on(3);
  const Answer answer = by_pipeline(text, options, 100'000);
  EXPECT_THAT(answer.error, HasSubstr("none of the 100000 rows"));
  EXPECT_EQ(answer.rejected, 100'000U);
}

TEST(ScorePipeline, EveryThreadOfAFileBeatsForTheOneThatWantsIt) {
  telemetry::Pulse pulse("worker", std::chrono::hours(1));
  const telemetry::BeatsFor own(&pulse);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto begun = std::chrono::steady_clock::now();
  ScoreOptions options;
  options.threads = 2;
  ScorePipeline pipeline(dropscore::testing::tiny_model(), options);
  const std::string row = "50,SEO\n";
  std::string text = "Age,Channel\n";
  while (text.size() < 2 * limits::mib) text += row;
  TextSource source(text);
  ASSERT_TRUE(pipeline.run(source, [](std::string_view) { return Status(); }));
  EXPECT_LE(pulse.silence(), std::chrono::steady_clock::now() - begun);
}

}  // namespace
}  // namespace dropscore::job
