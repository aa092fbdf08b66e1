// JSON to C++ values and back, and the schema that says which JSON is accepted.
#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <perdure/json_read.hpp>
#include <perdure/json_write.hpp>
#include <perdure/schema.hpp>

namespace perdure::test {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Item {
  std::string name;
  std::uint8_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Item, (), (name, count))

struct Order {
  std::string id;
  std::vector<Item> items;
  std::optional<double> discount;
  std::map<std::string, bool> flags;
  Colour colour = Colour::red;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, items, discount, flags, colour))

struct Tree {
  std::string label;
  std::vector<Tree> children;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (label, children))

struct Special : Item {
  int extra = 0;
};
BOOST_DESCRIBE_STRUCT(Special, (Item), (extra))

template <class T>
std::string error_of(std::string_view text) {
  try {
    (void)from_json<T>(text);
  } catch (const JsonError& e) {
    return e.what();
  }
  return "no error";
}

TEST(JsonRead, FillsADescribedStruct) {
  const auto order = from_json<Order>(
      R"({"id":"o1","items":[{"name":"tea","count":2}],"flags":{"gift":true},"colour":"green","unknown":1})");
  EXPECT_EQ(order.id, "o1");
  ASSERT_EQ(order.items.size(), 1u);
  EXPECT_EQ(order.items[0].count, 2);
  EXPECT_EQ(order.discount, std::nullopt);
  EXPECT_TRUE(order.flags.at("gift"));
  EXPECT_EQ(order.colour, Colour::green);
}

TEST(JsonRead, NamesThePlaceOfWhatDoesNotFit) {
  EXPECT_EQ(error_of<Order>(R"({"id":"o","items":[{"name":"a","count":1},{"name":7,"count":1}]})"),
            "items[1].name must be a string, not a number");
  EXPECT_EQ(error_of<Order>(R"({"items":[]})"), "id is missing");
  EXPECT_EQ(error_of<Order>(R"([])"), "the value must be an object, not an array");
  EXPECT_EQ(error_of<Order>(R"({"id":"o","items":[],"flags":{"a":1},"colour":"red"})"),
            "flags.a must be a boolean, not a number");
  EXPECT_EQ(error_of<Order>(R"({"id":"o","items":[],"flags":{},"colour":"blue"})"),
            R"(colour must be one of "red", "green", not "blue")");
}

TEST(JsonRead, RefusesNumbersThatDoNotFit) {
  EXPECT_EQ(error_of<Item>(R"({"name":"a","count":256})"),
            "count must be an integer from 0 to 255, not another number");
  EXPECT_EQ(error_of<Item>(R"({"name":"a","count":-1})"), "count must be an integer from 0 to 255, not another number");
  EXPECT_EQ(error_of<Item>(R"({"name":"a","count":1.5})"),
            "count must be an integer from 0 to 255, not another number");
  EXPECT_EQ(from_json<int>("1e3"), 1000);
  EXPECT_EQ(from_json<std::uint64_t>("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(JsonRead, RefusesNumbersThatAreNotFinite) {
  EXPECT_EQ(error_of<json::value>("[1e400]"), "a number is too large for a double");
  EXPECT_EQ(error_of<double>("-1e400"), "a number is too large for a double");
}

TEST(JsonRead, ReadsAHundredAndTwentyEightLevelsAndNoMore) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW((void)from_json<json::value>(nested(128)));
  EXPECT_NE(error_of<json::value>(nested(129)), "no error");
  EXPECT_NE(error_of<json::value>(nested(1'000'000)), "no error");
}

TEST(JsonRead, TakesNothingForNull) {
  EXPECT_TRUE(from_json<json::value>("").is_null());
  EXPECT_EQ(from_json<RawJson>("").text, "null");
  EXPECT_EQ(from_json<std::optional<int>>("null"), std::nullopt);
}

struct Envelope {
  json::value body;
  std::optional<json::object> extra;
};
BOOST_DESCRIBE_STRUCT(Envelope, (), (body, extra))

TEST(JsonRead, KeepsPartsOfNoFixedShapeAlive) {
  const auto envelope = from_json<Envelope>(R"({"body":{"a":[1,"two"]},"extra":{"b":null}})");
  EXPECT_EQ(to_json(envelope), R"({"body":{"a":[1,"two"]},"extra":{"b":null}})");
}

TEST(JsonRead, KeepsRawTextAsItIs) { EXPECT_EQ(from_json<RawJson>("{\"a\" : 1e400}").text, "{\"a\" : 1e400}"); }

TEST(JsonWrite, WritesADescribedStructWithoutItsEmptyOptionals) {
  const Order order{"o\"1\"", {{"tea", 2}}, std::nullopt, {{"gift", true}}, Colour::green};
  EXPECT_EQ(to_json(order),
            R"({"id":"o\"1\"","items":[{"name":"tea","count":2}],"flags":{"gift":true},"colour":"green"})");
}

TEST(JsonWrite, WritesTheMembersOfABaseFirst) {
  EXPECT_EQ(to_json(Special{{"a", 1}, 2}), R"({"name":"a","count":1,"extra":2})");
}

TEST(JsonWrite, WritesNumbersTheShortestWayThatReadsBack) {
  EXPECT_EQ(to_json(0.1), "0.1");
  EXPECT_EQ(to_json(json::value(0.1)), "0.1");
  EXPECT_EQ(from_json<double>(to_json(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(to_json(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(JsonWrite, RefusesNumbersThatAreNotFinite) {
  EXPECT_THROW((void)to_json(std::nan("")), JsonError);
  EXPECT_THROW((void)to_json(json::value(std::numeric_limits<double>::infinity())), JsonError);
}

TEST(JsonWrite, RefusesWhatIsNestedTooDeep) {
  json::value value = nullptr;
  for (int i = 0; i < 128; ++i) value = json::array{value};
  EXPECT_NO_THROW((void)to_json(value));
  EXPECT_THROW((void)to_json(json::array{value}), JsonError);
}

TEST(JsonWrite, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(to_json(std::string("a\n\t\"\\\x01\x1f é", 10)), "\"a\\n\\t\\\"\\\\\\u0001\\u001f é\"");
}

TEST(Schema, SaysWhatReadingAccepts) {
  EXPECT_EQ(detail::schema_of<Item>(),
            R"({"type":"object","properties":{"name":{"type":"string"},"count":{"type":"integer","minimum":0,)"
            R"("maximum":255}},"required":["name","count"]})");
  EXPECT_EQ(detail::schema_of<std::optional<Colour>>(), R"({"anyOf":[{"enum":["red","green"]},{"type":"null"}]})");
  EXPECT_EQ(detail::schema_of<std::vector<double>>(), R"({"type":"array","items":{"type":"number"}})");
}

TEST(Schema, SaysNothingWhereAnythingGoes) {
  EXPECT_EQ(detail::schema_of<json::value>(), "");
  EXPECT_EQ(detail::schema_of<RawJson>(), "");
  EXPECT_EQ(detail::schema_of<None>(), "");
}

TEST(Schema, RefersToATypeThatContainsItself) {
  EXPECT_EQ(detail::schema_of<Tree>(), R"({"type":"object","properties":{"label":{"type":"string"},"children":)"
                                       R"({"type":"array","items":{"$ref":"#"}}},"required":["label","children"]})");
}

}  // namespace
}  // namespace perdure::test
