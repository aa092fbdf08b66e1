// JSON written and cut, targets taken apart.
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "host/api/target.h"

#include <gtest/gtest.h>

namespace perdure::api {
namespace {

std::string written(std::string_view text) { return JsonText().text(text).take(); }

TEST(JsonText, PutsCommasWhereTheyBelong) {
  JsonText json;
  json.begin_object().text("a", "b").key("c").begin_array().number(1).begin_object().end_object().number(2.5);
  json.end_array().boolean("d", true).raw("e", "[]").end_object();
  EXPECT_EQ(json.str(), R"({"a":"b","c":[1,{},2.5],"d":true,"e":[]})");
}

TEST(JsonText, EscapesWhatJsonDoesNotTake) {
  EXPECT_EQ(written("a\"b\\c\n\r\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\x7f\"");
  EXPECT_EQ(written(std::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(JsonText, KeepsUtf8AndReplacesWhatIsNot) {
  for (const std::string good : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(written(good), "\"" + good + "\"");
  }
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(written("\xc0\xaf"), "\"" + mark + mark + "\"");             // overlong
  EXPECT_EQ(written("\xed\xa0\x80"), "\"" + mark + mark + mark + "\"");  // a surrogate
  EXPECT_EQ(written("a\xe2\x82"), "\"a" + mark + mark + "\"");           // cut off
  EXPECT_EQ(written("\xf5\x80"), "\"" + mark + mark + "\"");
}

TEST(JsonMembers, AreCutAsTheyAreWritten) {
  const auto members = json_members(" { \"a\" : [1, {\"x\":\"]}\\\"\"}] , \"b\":\"c,d\" ,\"\\u0061\" : 0.10 } ");
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ(members->at(0).value, "[1, {\"x\":\"]}\\\"\"}]");
  EXPECT_EQ(members->at(1).value, "\"c,d\"");
  EXPECT_EQ(find_member(*members, "a").value(), "0.10");  // the last of a name counts
  EXPECT_FALSE(find_member(*members, "z"));
  EXPECT_EQ(json_members("{}")->size(), 0u);
  for (const char* other : {"[]", "1", "\"{}\"", "null"}) EXPECT_FALSE(json_members(other)) << other;
}

TEST(JsonMembers, OfAnArrayAreItsElements) {
  const auto elements = json_elements(" [ 1 , [2,3] ,\"a,b\",{} ] ");
  ASSERT_TRUE(elements);
  EXPECT_EQ(*elements, (std::vector<std::string_view>{"1", "[2,3]", "\"a,b\"", "{}"}));
  EXPECT_EQ(json_elements("[]")->size(), 0u);
  EXPECT_FALSE(json_elements("{}"));
}

TEST(JsonMembers, StringsAreUnescaped) {
  EXPECT_EQ(json_string(R"("a\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00z")").value(),
            "a\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
  EXPECT_EQ(json_string("\"\"").value(), "");
  EXPECT_EQ(json_string(R"("\u0000")").value(), std::string("\0", 1));
  for (const char* broken : {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\u0041")", "1", "null"}) {
    EXPECT_FALSE(json_string(broken)) << broken;
  }
}

TEST(Target, KeepsEncodedSlashesInsideTheirSegment) {
  std::vector<std::string> path;
  std::vector<Field> query;
  ASSERT_TRUE(take_apart("/api/v1/tasks/a%2Fb%20c/trigger/?x=1&y=a+b%2B&&z", path, query));
  EXPECT_EQ(path, (std::vector<std::string>{"api", "v1", "tasks", "a/b c", "trigger"}));
  ASSERT_EQ(query.size(), 3u);
  EXPECT_EQ(query[1].value, "a b+");
  EXPECT_EQ(query[2].name, "z");
}

TEST(Target, DecodesOnce) {
  EXPECT_EQ(percent_decoded("a%252Fb").value(), "a%2Fb");
  for (const char* broken : {"%", "%4", "%zz", "a%4g"}) EXPECT_FALSE(percent_decoded(broken)) << broken;
}

}  // namespace
}  // namespace perdure::api
