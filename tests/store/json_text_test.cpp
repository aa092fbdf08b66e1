// Which texts are accepted as payloads and outputs.
#include "store/model/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace perdure::store {
namespace {

Status check(std::string_view text) { return check_json(text, kPayloadLimits); }

TEST(JsonText, AnyJsonValueIsAccepted) {
  for (const char* text :
       {"null", "true", "false", "0", "-0", "1.5e3", "\"\"", "\"\\u0000\\n\"", "[]", "{}", " [1, {\"a\": [null]}]\n",
        "18446744073709551615", "123456789012345678901234567890", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"",
        "\"\\ud83d\\ude00\"", "{\"a\":1,\"a\":2}", "1e308", "1e-400"}) {
    const Status status = check(text);
    EXPECT_TRUE(status) << text << ": " << status.message();
  }
}

TEST(JsonText, WhatIsNotJsonIsRefusedAsInvalid) {
  for (const char* text :
       {"",   " ",  "nul", "nullx", "{",   "[1,]",     "{\"a\":}", "{a:1}",   "'a'", "\"",      "\"\n\"",     "01",
        "+1", ".5", "1.",  "1e",    "NaN", "Infinity", "// c\n1",  "[1] [2]", "1 2", "\"\\x\"", "\"\\ud83d\""}) {
    EXPECT_EQ(check(text).code(), Code::kInvalid) << text;
  }
}

TEST(JsonText, WhatIsNotUtf8IsRefused) {
  EXPECT_FALSE(check("\"\xff\""));
  EXPECT_FALSE(check("\"\xc0\xaf\""));          // overlong
  EXPECT_FALSE(check("\"\xed\xa0\x80\""));      // a surrogate
  EXPECT_FALSE(check("\"\xf5\x80\x80\x80\""));  // beyond Unicode
  EXPECT_FALSE(check("\"\xe2\x82\""));          // cut
  EXPECT_FALSE(check("\xef\xbb\xbf{}"));        // a byte order mark
  EXPECT_FALSE(check(std::string_view("\0", 1)));
}

TEST(JsonText, NumbersThatAreNotFiniteAreRefused) {
  EXPECT_FALSE(check("1e400"));
  EXPECT_FALSE(check("[-1e400]"));
  EXPECT_FALSE(check("1e99999999999999999999"));
  EXPECT_FALSE(check("1" + std::string(400, '0')));
  EXPECT_NE(check("1e400").message().find("beyond what a double holds"), std::string::npos) << check("1e400").message();
}

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(JsonText, NestingEndsAtTheLimit) {
  EXPECT_TRUE(check(nested(128, "[", "]")));
  EXPECT_FALSE(check(nested(129, "[", "]")));
  EXPECT_TRUE(check(nested(128, "{\"a\":", "}")));
  EXPECT_FALSE(check(nested(129, "{\"a\":", "}")));
  EXPECT_NE(check(std::string(1'000'000, '[')).message().find("128 levels"), std::string::npos);
}

TEST(JsonText, SizeEndsAtTheLimit) {
  const JsonLimits limits{10, 128};
  EXPECT_TRUE(check_json("\"12345678\"", limits));
  EXPECT_FALSE(check_json("\"123456789\"", limits));
}

TEST(JsonText, TheMessageNamesWhatAndWhere) {
  const Status status = check_json("{\"a\": tru}", kPayloadLimits, "the payload");
  EXPECT_EQ(status.message().find("the payload is not acceptable JSON: "), 0u) << status.message();
  EXPECT_NE(status.message().find("(byte "), std::string::npos) << status.message();
}

}  // namespace
}  // namespace perdure::store
