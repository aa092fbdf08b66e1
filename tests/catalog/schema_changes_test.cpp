// What a new version is said to take away from the one before.
#include "host/catalog/schema_changes.h"

#include <gtest/gtest.h>

namespace perdure::catalog {
namespace {

Tasks one_task(const std::string& schema) {
  Task task;
  task.id = store::TaskId("t");
  task.options.payload_schema = schema;
  return {{task.id, task}};
}

std::vector<std::string> changes(const std::string& before, const std::string& after) {
  std::vector<std::string> all = narrowed(one_task(before), one_task(after));
  for (std::string& each : all) {
    const std::string head = "The task 't' takes less than before: ", tail = ". Runs triggered before may fail.";
    EXPECT_TRUE(each.starts_with(head) && each.ends_with(tail)) << each;
    each = each.substr(head.size(), each.size() - head.size() - tail.size());
  }
  return all;
}

using Texts = std::vector<std::string>;

TEST(SchemaChanges, ATaskThatIsGone) {
  const Texts gone = narrowed(one_task(""), {});
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0], "The task 't' is gone: runs of it that are queued wait until a plugin offers it again.");
  EXPECT_TRUE(narrowed({}, one_task("")).empty());
}

TEST(SchemaChanges, NothingWhenTheSchemaIsTheSameOrWiderOrGone) {
  const std::string schema = R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}})";
  EXPECT_EQ(changes(schema, schema), Texts{});
  EXPECT_EQ(changes(schema, ""), Texts{});
  EXPECT_EQ(changes(schema, R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"string"}}})"),
            Texts{});
}

TEST(SchemaChanges, AMemberThatIsNewlyRequired) {
  EXPECT_EQ(changes(R"({"properties":{"a":{}}})", R"({"required":["a"],"properties":{"a":{}}})"),
            Texts{"payload.a is required"});
}

TEST(SchemaChanges, AMemberThatIsNoLongerAllowed) {
  EXPECT_EQ(changes(R"({"additionalProperties":false,"properties":{"a":{},"b":{}}})",
                    R"({"additionalProperties":false,"properties":{"a":{}}})"),
            Texts{"payload.b is no longer allowed"});
}

TEST(SchemaChanges, ATypeInsideAnArrayInsideAMember) {
  EXPECT_EQ(changes(R"({"properties":{"list":{"items":{"type":["string","null"]}}}})",
                    R"({"properties":{"list":{"items":{"type":"string"}}}})"),
            Texts{"payload.list[] may no longer be of type null"});
}

TEST(SchemaChanges, AValueThatLeftTheEnumerationAndATighterBound) {
  EXPECT_EQ(changes(R"({"enum":["a","b"]})", R"({"enum":["b","c"]})"), Texts{"payload may no longer be \"a\""});
  EXPECT_EQ(changes(R"({"minimum":1,"maximum":9})", R"({"minimum":2,"maximum":10})"), Texts{"payload has minimum 2"});
}

TEST(SchemaChanges, AFirstSchemaWhereThereWasNone) {
  EXPECT_EQ(changes("", R"({"type":"string"})"), Texts{"payload must be of type string"});
}

TEST(SchemaChanges, WhatNobodyCanCompareWhenItDiffers) {
  EXPECT_EQ(changes(R"({"pattern":"a"})", R"({"pattern":"b"})"), Texts{"payload has another \"pattern\""});
  EXPECT_EQ(changes(R"({"title":"a"})", R"({"title":"b"})"), Texts{});
}

}  // namespace
}  // namespace perdure::catalog
