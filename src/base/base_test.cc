#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "base/utf8.h"

namespace dropscore {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::reject, "an odd number has no half");
  return number / 2;
}

Result<int> quarter(int number) {
  DROPSCORE_TRY(const int once, half(number));
  DROPSCORE_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, PassesValuesAndErrorsOn) {
  EXPECT_EQ(*quarter(12), 3);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::reject);
  EXPECT_EQ(name(failed.error().kind), "reject");
  EXPECT_EQ(failed.error().customer.text, "an odd number has no half");
}

// FIPS 180-4, example "abc".
TEST(Hash, Sha256OfTheStandardsExample) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, ContentHashDoesNotDependOnTheCuts) {
  ContentHash hash;
  hash.update("drop");
  hash.update("score");
  EXPECT_EQ(hash.hex(), content_hash_hex("dropscore"));
  EXPECT_NE(hash.hex(), content_hash_hex("dropscorf"));
  EXPECT_EQ(hash.hex().size(), 32U);
}

TEST(Hash, Md5OfKnownTexts) {  // RFC 1321, A.5
  Md5 md5;
  EXPECT_EQ(md5.base64(), "1B2M2Y8AsgTpgAmY7PhCfg==");
  md5.update("a");
  EXPECT_EQ(md5.base64(), "DMF1ucDxtqgxw5niaXcmYQ==");
  md5.update("bc");
  EXPECT_EQ(md5.base64(), "kAFQmDzST7DWlj99KOF/cg==");
}

TEST(Hash, RandomIdsDiffer) { EXPECT_NE(random_id(), random_id()); }

// RFC 4648, section 10.
TEST(Base64, TheStandardsExamples) {
  const std::vector<std::pair<std::string, std::string>> examples = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"},
                                                                     {"\xFB\xFF", "+/8="}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64_encoded(bytes), text);
    EXPECT_EQ(base64_decoded(text), bytes);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zg==Zg==", "====", "Z===", "_-8="}) {
    EXPECT_FALSE(base64_decoded(text)) << text;
  }
}

RC_GTEST_PROP(Base64, RoundTrip, (const std::string& bytes)) {
  RC_ASSERT(base64_decoded(base64_encoded(bytes)) == bytes);
}

TEST(JsonWriter, CompactAndIndented) {
  const auto write = [](JsonWriter&& json) {
    json.begin_object();
    json.member("a", 1).key("b").begin_array().value(0.5).value(true).null().end_array();
    json.key("c").begin_object().end_object();
    json.end_object();
  };
  std::string compact;
  write(JsonWriter(compact));
  EXPECT_EQ(compact, R"({"a":1,"b":[0.5,true,null],"c":{}})");
  std::string indented;
  write(JsonWriter(indented, 2));
  EXPECT_EQ(indented, "{\n  \"a\": 1,\n  \"b\": [\n    0.5,\n    true,\n    null\n  ],\n  \"c\": {}\n}");
}

TEST(JsonWriter, EscapesAndReplaces) {
  std::string out;
  append_json_string(out, std::string_view("a\"\\\n\x01\xC3\xA9\xFF\x00z", 10));
  EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u0001\xC3\xA9\xEF\xBF\xBD\\u0000z\"");
}

TEST(JsonWriter, NotANumberIsNull) {
  std::string out;
  append_json_number(out, std::nan(""));
  append_json_number(out, std::numeric_limits<double>::infinity());
  EXPECT_EQ(out, "nullnull");
}

TEST(JsonWriter, NumbersOnOneLine) {
  std::string indented;
  JsonWriter json(indented, 2);
  json.begin_array().numbers(std::vector<double>{0.5, -1}).numbers({}).end_array();
  EXPECT_EQ(indented, "[\n  [0.5, -1],\n  []\n]");
}

TEST(JsonWriter, NumbersThatParsersWouldTakeForIntegers) {
  std::string out;
  append_json_number(out, -0.0);
  out.push_back(' ');
  append_json_number(out, 0x1p64);
  EXPECT_EQ(out, "-0.0 1.8446744073709552e+19");
}

RC_GTEST_PROP(JsonWriter, NumbersReadBackAsTheSameDouble, (double number)) {
  RC_PRE(std::isfinite(number));
  std::string out;
  append_json_number(out, number);
  RC_ASSERT(std::stod(out) == number);
}

TEST(Utf8, TellsValidFromInvalid) {
  EXPECT_TRUE(is_utf8("Zo\xC3\xAB \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // over U+10FFFF
  EXPECT_FALSE(is_utf8("caf\xE9"));           // Windows-1252
  EXPECT_FALSE(is_utf8("cut \xE2\x82"));
}

RC_GTEST_PROP(Utf8, WhatIsAppendedIsValid, ()) {
  const auto code = *rc::gen::suchThat(rc::gen::inRange<std::uint32_t>(0, 0x110000),
                                       [](std::uint32_t c) { return c < 0xD800 || c > 0xDFFF; });
  std::string text;
  append_utf8(text, static_cast<char32_t>(code));
  RC_ASSERT(utf8_sequence_bytes(text) == text.size());
}

TEST(Utf8, ExcerptCountsCharactersAndReplacesWhatIsInvalid) {
  EXPECT_EQ(excerpt("caf\xE9 cr\xC3\xA8me", 7), "caf\xEF\xBF\xBD cr");
  EXPECT_EQ(excerpt("short", 64), "short");
}

TEST(Files, WritesWholeAndReadsBack) {
  const auto folder = std::filesystem::temp_directory_path() / ("dropscore-" + random_id());
  const auto path = folder / "deep" / "file.txt";
  ASSERT_TRUE(write_file_atomically(path, "first"));
  ASSERT_TRUE(write_file_atomically(path, "second"));
  EXPECT_EQ(*read_file(path, 100), "second");
  EXPECT_EQ(read_file(path, 3).error().kind, ErrorKind::too_large);
  EXPECT_EQ(read_file(folder / "none", 3).error().kind, ErrorKind::not_found);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "deep"), {}), 1)
      << "nothing else is left behind";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dropscore
