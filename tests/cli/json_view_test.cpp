// Looking into JSON without changing it.
#include <gtest/gtest.h>

#include "host/cli/json_view.h"

namespace perdure::cli {
namespace {

TEST(JsonView, FindsMembersAndItems) {
  const JsonView view(R"( {"a" : [1, "t\n\"x\"", {"b":null}], "c":true, "" : 2} )");
  EXPECT_EQ(view["a"].items().size(), 3u);
  EXPECT_EQ(view["a"].items()[1].text(), "t\n\"x\"");
  EXPECT_FALSE(view["a"].items()[2]["b"]);
  EXPECT_TRUE(view["c"].is_true());
  EXPECT_EQ(view[""].number(), 2);
  EXPECT_FALSE(view["nothing"]);
}

TEST(JsonView, KeepsNumbersAsTheyAreWritten) {
  const JsonView view(R"({"n":0.10,"big":123456789012345678901234567890})");
  EXPECT_EQ(view["n"].text(), "0.10");
  EXPECT_EQ(view["big"].raw(), "123456789012345678901234567890");
}

TEST(JsonView, IsNotTroubledByBracketsInTexts) { EXPECT_EQ(JsonView(R"({"a":"}]{[\\","b":1})")["b"].number(), 1); }

TEST(JsonView, OfBrokenTextIsNothingOrWhatIsThere) {
  for (const char* text : {"", "{", "[", "\"", "{\"a\"", "{\"a\":", "{\"a\":[1,", "[1,,]", "}", ",", "{\"a\":\"\\"}) {
    const JsonView view(text);
    EXPECT_FALSE(view["a"]["b"]) << text;
    EXPECT_LE(view.items().size(), 1u) << text;
  }
}

TEST(Indented, BreaksLinesAndKeepsValues) {
  EXPECT_EQ(indented(R"({"a":[1,{"b":"x, {y}"}],"c":{},"d":[ ]})"),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, {y}\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}");
  EXPECT_EQ(indented("12"), "12");
}

TEST(JsonString, EscapesWhatItMust) { EXPECT_EQ(json_string("a\"\\\n"), R"("a\"\\\n")"); }

}  // namespace
}  // namespace perdure::cli
