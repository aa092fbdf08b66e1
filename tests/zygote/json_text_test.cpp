// The little JSON the zygote reads and writes.
#include "host/zygote/json_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace perdure::zygote {
namespace {

std::string written(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

TEST(JsonText, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(written("plain"), "\"plain\"");
  EXPECT_EQ(written("a\"b\\c\n\x1f"), R"("a\"b\\c\u000a\u001f")");
  EXPECT_EQ(written(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(written("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

TEST(JsonText, ReplacesBytesThatAreNoUtf8) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xe2\x82"}) {
    EXPECT_EQ(written(bad).find("\"\\ufffd"), 0u) << written(bad);
    EXPECT_TRUE(is_json(written(bad)));
  }
}

TEST(JsonText, TellsAnObjectFromEverythingElse) {
  for (const char* good : {"{}", " {\"a\":1} ", R"({"a":[1,-2.5e+3,true,false,null,"\u00e9\n"],"b":{"c":{}}})"}) {
    EXPECT_TRUE(is_json_object(good)) << good;
  }
  for (const char* bad : {"",
                          "null",
                          "[]",
                          "{",
                          "}",
                          "{}{}",
                          "{a:1}",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{\"a\":01}",
                          "{\"a\":1.}",
                          "{\"a\":+1}",
                          "{\"a\":\"\t\"}",
                          "{\"a\":\"\\x\"}",
                          "{\"a\":\"\xff\"}",
                          "{\"a\":tru}",
                          "{\"a\":NaN}",
                          "{\"a\":1e}",
                          "{\"a\":\"\\u12\"}",
                          "{\"a\":- }"}) {
    EXPECT_FALSE(is_json_object(bad)) << bad;
  }
}

TEST(JsonText, RefusesWhatIsNestedTooDeep) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(is_json(nested(60)));
  EXPECT_FALSE(is_json(nested(1'000'000)));
}

TEST(JsonMembers, WalksKeysAndValuesAsTheyStand) {
  JsonMembers members(R"( {"run" : "r1" ,"n":12, "o":{"a":[1,{"b":"},"}]} , "s":"a\"b" } )");
  std::string_view key, value;
  std::vector<std::string> seen;
  while (members.next(key, value)) seen.push_back(std::string(key) + "=" + std::string(value));
  EXPECT_EQ(seen, (std::vector<std::string>{R"(run="r1")", "n=12", R"(o={"a":[1,{"b":"},"}]})", R"(s="a\"b")"}));
}

TEST(JsonMembers, EndsEarlyOnWhatIsNoObject) {
  for (const char* text : {"", "[]", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "{1:2}", "nonsense"}) {
    JsonMembers members(text);
    std::string_view key, value;
    EXPECT_FALSE(members.next(key, value)) << text;
  }
}

TEST(JsonMembers, ReadsNumbersWithoutOverflow) {
  EXPECT_EQ(json_unsigned("30000"), 30000u);
  EXPECT_EQ(json_unsigned("99999999999999999999999"), UINT64_MAX);
  EXPECT_EQ(json_unsigned("-1"), 0u);
  EXPECT_EQ(json_unsigned("\"1\""), 0u);
}

}  // namespace
}  // namespace perdure::zygote
