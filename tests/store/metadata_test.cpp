// The rules by which metadata changes.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "store/model/json_text.h"
#include "store/model/metadata_document.h"

namespace perdure::store {
namespace {

using enum MetadataChange;

// The document after the operations; what was wrong when something was.
std::string after(const std::string& document, const std::vector<MetadataOperation>& operations) {
  for (const MetadataOperation& operation : operations) {
    if (Status checked = check_operation(operation); !checked) return "refused: " + checked.message();
  }
  MetadataDocument metadata(document);
  const Status changed = metadata.change(operations);
  EXPECT_EQ(metadata.size(), metadata.text().size());
  if (!changed) {
    EXPECT_EQ(metadata.text(), MetadataDocument(document).text()) << "something of a refused change happened";
    return changed.message();
  }
  return metadata.text();
}

TEST(Metadata, EntriesAreSetReplacedAndDeletedAndKeepTheirOrderAndText) {
  EXPECT_EQ(after("{}", {{kSet, "a", "1"}}), R"({"a":1})");
  EXPECT_EQ(after(R"({"a":1,"b":0.10})", {{kSet, "a", R"( {"x": [1]} )"}}), R"({"a":{"x": [1]},"b":0.10})");
  EXPECT_EQ(after(R"({"a":1,"b":2,"c":3})", {{kDelete, "b", ""}}), R"({"a":1,"c":3})");
  EXPECT_EQ(after(R"({"a":1})", {{kDelete, "nothing", ""}}), R"({"a":1})");
  EXPECT_EQ(after(R"({"a":1,"a":2})", {}), R"({"a":2})");
  EXPECT_EQ(after("{}", {{kSet, "quote\" \n", "null"}}), R"({"quote\" \n":null})");
}

TEST(Metadata, NumbersAreIncrementedWithoutLosingWhatAnIntegerHolds) {
  EXPECT_EQ(after("{}", {{kIncrement, "n", "5"}}), R"({"n":5})");
  EXPECT_EQ(after(R"({"n":5})", {{kIncrement, "n", "-7"}}), R"({"n":-2})");
  EXPECT_EQ(after(R"({"n":9007199254740993})", {{kIncrement, "n", "1"}}), R"({"n":9007199254740994})");
  EXPECT_EQ(after(R"({"n":9223372036854775807})", {{kIncrement, "n", "1"}}), R"({"n":9223372036854775808})");
  EXPECT_EQ(after(R"({"n":0.5})", {{kIncrement, "n", "0.25"}}), R"({"n":0.75})");
  EXPECT_EQ(after(R"({"n":"x"})", {{kIncrement, "n", "1"}}),
            R"(metadata "n" must be a number to increment, and is "x")");
  EXPECT_EQ(after(R"({"n":1e308})", {{kIncrement, "n", "1e308"}}), "the sum is beyond what a double holds");
  EXPECT_EQ(after("{}", {{kIncrement, "n", "\"1\""}}), R"(refused: metadata is incremented by a number, not by "1")");
}

TEST(Metadata, ListsAreMadeExtendedAndFilteredByDeepEquality) {
  EXPECT_EQ(after("{}", {{kAppend, "l", "1"}}), R"({"l":[1]})");
  EXPECT_EQ(after(R"({"l":[ ]})", {{kAppend, "l", "{\"a\":1}"}}), R"({"l":[ {"a":1}]})");
  EXPECT_EQ(after(R"({"l":[1,"]"]})", {{kAppend, "l", "2"}}), R"({"l":[1,"]",2]})");
  EXPECT_EQ(after(R"({"l":1})", {{kAppend, "l", "2"}}), R"(metadata "l" must be an array to append, and is 1)");
  EXPECT_EQ(after(R"({"l":[1,{"a":1,"b":[2]},1.0,"1"]})", {{kRemove, "l", "1"}}), R"({"l":[{"a":1,"b":[2]},"1"]})");
  EXPECT_EQ(after(R"({"l":[1,{"a":1,"b":[2]}]})", {{kRemove, "l", R"({"b":[2.0],"a":1})"}}), R"({"l":[1]})");
  EXPECT_EQ(after(R"({"l":[{"a":1}]})", {{kRemove, "l", R"({"a":1,"b":1})"}}), R"({"l":[{"a":1}]})");
  EXPECT_EQ(after("{}", {{kRemove, "l", "1"}}), "{}");
}

TEST(Metadata, APathLeadsIntoObjectsAndArraysAndMakesObjectsOnItsWay) {
  EXPECT_EQ(after("{}", {{kSet, "$.a.b", "1"}}), R"({"a":{"b":1}})");
  EXPECT_EQ(after(R"({"a":{"b":1,"c":2}})", {{kIncrement, "$.a.b", "1"}}), R"({"a":{"b":2,"c":2}})");
  EXPECT_EQ(after(R"({"a":[{"n":1},5]})", {{kSet, "$.a.0.n", "7"}}), R"({"a":[{"n":7},5]})");
  EXPECT_EQ(after(R"({"a":[1,2,3]})", {{kDelete, "$.a.1", ""}}), R"({"a":[1,3]})");
  EXPECT_EQ(after(R"({"a":{"l":[1]}})", {{kAppend, "$.a.l", "2"}}), R"({"a":{"l":[1,2]}})");
  EXPECT_EQ(after("{}", {{kDelete, "$.a.b", ""}}), "{}");
  EXPECT_EQ(after("{}", {{kSet, "$.a", "1"}}), R"({"a":1})");
  EXPECT_EQ(after(R"({"a":5})", {{kSet, "$.a.b", "1"}}),
            R"(the metadata path "$.a.b" leads nowhere: there is no "b" in 5)");
  EXPECT_EQ(after(R"({"a":[1]})", {{kSet, "$.a.1", "1"}}),
            R"(the metadata path "$.a.1" leads nowhere: there is no "1" in [1])");
}

TEST(Metadata, KeysAndValuesThatCannotBeRightAreRefusedWithWords) {
  std::string deep = "$.a";
  for (int i = 0; i < 32; ++i) deep += ".a";
  for (const std::string& key :
       {std::string("$."), std::string("$.a..b"), std::string("$.a."), std::string("$.*"), deep}) {
    EXPECT_NE(after("{}", {{kSet, key, "1"}}).find("must be \"$.\" and 1 to 32 names"), std::string::npos) << key;
  }
  EXPECT_NE(after("{}", {{kSet, "__proto__", "1"}}).find("__proto__"), std::string::npos);
  EXPECT_NE(after("{}", {{kSet, "$.a.__proto__", "1"}}).find("__proto__"), std::string::npos);
  EXPECT_NE(after("{}", {{kSet, "a", "1 2"}}).find("is not acceptable JSON"), std::string::npos);
  EXPECT_NE(after("{}", {{kSet, "a", ""}}).find("is not acceptable JSON"), std::string::npos);
  EXPECT_NE(after("{}", {{kReplace, "", "[1]"}}).find("must be a JSON object"), std::string::npos);
}

TEST(Metadata, OperationsHappenInOrderAndAllOrNone) {
  EXPECT_EQ(after(R"({"a":1})", {{kReplace, "", R"({"b":2})"}, {kSet, "c", "3"}, {kIncrement, "b", "1"}}),
            R"({"b":3,"c":3})");
  EXPECT_EQ(after(R"({"a":1})", {{kSet, "a", "2"}, {kAppend, "a", "1"}}),
            R"(metadata "a" must be an array to append, and is 2)");
}

TEST(Metadata, MoreThanTheLimitIsRefusedWhateverMakesIt) {
  const std::string half = '"' + std::string(kMostMetadata / 2, 'x') + '"';
  const std::string document = "{\"a\":" + half + ",\"l\":[1]}";
  for (const MetadataOperation& operation : std::vector<MetadataOperation>{
           {kSet, "b", half}, {kAppend, "l", half}, {kAppend, "new", half}, {kSet, "$.c.d", half}}) {
    EXPECT_NE(after(document, {operation}).find("at most 262144 are kept"), std::string::npos);
    EXPECT_NE(after(document, {operation, {kSet, "n", "1"}}).find("at most 262144 are kept"), std::string::npos);
  }
  const std::string room = "{\"l\":[\"" + std::string(kMostMetadata - 13, 'x') + "\"]}";
  ASSERT_EQ(room.size(), kMostMetadata - 3);
  EXPECT_EQ(after(room, {{kAppend, "l", "1"}}).size(), kMostMetadata - 1);
  EXPECT_EQ(after(room, {{kAppend, "l", "12"}}).size(), kMostMetadata);
  EXPECT_NE(after(room, {{kAppend, "l", "123"}}).find("at most"), std::string::npos);
}

// What is done one by one, in place, comes to the same as all at once, on a copy.
TEST(Metadata, ChangesInPlaceAndOnACopyComeToTheSame) {
  std::mt19937 random(7);
  const auto pick = [&](std::size_t n) { return random() % n; };
  const std::vector<std::string> keys{"a", "b", "$.c.d", "$.c.e", "$.l.0"};
  const std::vector<std::string> values{"1", "-2.5", "\"x\"", "[]", "[1,2]", R"({"d":[1]})", "null"};
  std::vector<MetadataOperation> done;
  MetadataDocument one_by_one;
  for (int i = 0; i < 3000; ++i) {
    const MetadataOperation operation{static_cast<MetadataChange>(1 + pick(5)), keys[pick(keys.size())],
                                      values[pick(values.size())]};
    if (check_operation(operation) && one_by_one.change({operation})) done.push_back(operation);
    ASSERT_EQ(one_by_one.size(), one_by_one.text().size());
  }
  ASSERT_GT(done.size(), 500u);
  MetadataDocument at_once, repeated;
  ASSERT_TRUE(at_once.change(done));
  repeated.repeat(done);
  EXPECT_EQ(at_once.text(), one_by_one.text());
  EXPECT_EQ(repeated.text(), one_by_one.text());
  EXPECT_TRUE(check_json(one_by_one.text(), {kMostMetadata, 128}));
}

}  // namespace
}  // namespace perdure::store
