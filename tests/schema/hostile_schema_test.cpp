// Schemas and payloads that were made to crash a check, or to keep it busy for ever.
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "host/schema/schema.h"

namespace perdure::schema {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; i++) all += text;
  return all;
}

std::shared_ptr<const Schema> compiled(const std::string& schema) {
  auto made = Schema::compile(schema);
  if (made) return made.value();
  ADD_FAILURE() << made.status().message();
  return nullptr;
}

TEST(HostileSchema, AlternativesThatDoubleAtEveryLevelAreGivenUpWithAReason) {
  const auto schema = compiled(
      R"({"definitions":{"a":{"anyOf":[{"items":{"$ref":"#/definitions/a"},"minItems":1},
                                       {"items":{"$ref":"#/definitions/a"},"minItems":1}]}},"$ref":"#/definitions/a"})");
  const auto fault = schema->check(repeated("[", 127) + "[]" + repeated("]", 127), 100'000);
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->what.find("cannot be checked in reasonable time"), std::string::npos) << fault->sentence();
}

TEST(HostileSchema, OneThatGoesTooDeepIsGivenUpBeforeTheStackEnds) {
  std::string schema = R"({"definitions":{"n0":{"type":"array","items":{"$ref":"#/definitions/n0"}})";
  for (int i = 1; i < 60; i++) {
    schema += ",\"n" + std::to_string(i) + R"(":{"allOf":[{"$ref":"#/definitions/n)" + std::to_string(i - 1) + "\"}]}";
  }
  schema += R"(},"items":{"$ref":"#/definitions/n59"}})";
  EXPECT_FALSE(compiled(schema)->check("[[[]]]"));
  // 128 levels of the payload, each through many schemas.
  std::string ring = R"({"definitions":{)";
  for (int i = 0; i < 60; i++) {
    ring += "\"n" + std::to_string(i) + R"(":{"allOf":[{"$ref":"#/definitions/n)" + std::to_string(i + 1) + "\"}]},";
  }
  ring += R"("n60":{"items":{"$ref":"#/definitions/n0"}}},"$ref":"#/definitions/n0"})";
  const auto fault = compiled(ring)->check(repeated("[", 128) + repeated("]", 128));
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->what.find("cannot be checked"), std::string::npos) << fault->sentence();
}

TEST(HostileSchema, NestingBeyondTheLimitsIsRefused) {
  EXPECT_FALSE(Schema::compile(repeated(R"({"items":)", 100'000) + "{}" + repeated("}", 100'000)));
  const auto fault = compiled("true")->check(repeated("[", 100'000) + repeated("]", 100'000));
  EXPECT_TRUE(fault);
}

TEST(HostileSchema, ALargePayloadIsCheckedInTime) {
  const auto schema = compiled(R"({"items":{"type":"object","properties":{"n":{"type":"integer","minimum":0}},
                                    "required":["n"],"additionalProperties":false},"uniqueItems":true})");
  std::string payload = "[";
  for (int i = 0; i < 200'000; i++) payload += (i == 0 ? "{\"n\":" : ",{\"n\":") + std::to_string(i) + '}';
  EXPECT_FALSE(schema->check(payload + "]"));
  EXPECT_TRUE(schema->check(payload + ",{\"n\":7}]"));
}

TEST(HostileSchema, ManyEqualLookingElementsAreComparedInTime) {
  std::string payload = "[";
  for (int i = 0; i < 100'000; i++) payload += std::string(i == 0 ? "" : ",") + "[]";
  const auto fault = compiled(R"({"uniqueItems":true})")->check(payload + "]");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->pointer, "/1");
}

TEST(HostileSchema, APatternMeetsAMegabyte) {
  const auto schema = compiled(R"({"pattern":"^(([a-z])+.)+[A-Z]([a-z])+$"})");
  EXPECT_TRUE(schema->check('"' + std::string(1'000'000, 'a') + '"'));
}

// Any text at all: a schema is compiled or refused, a payload fits or not.
TEST(HostileSchema, RandomOnesDoNoHarm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const char* const parts[] = {"{\"type\":",
                               "\"string\"",
                               "{\"items\":",
                               "{\"anyOf\":[",
                               "{\"$ref\":\"#\"}",
                               "{\"pattern\":",
                               "\"(a|b)*\"",
                               "]",
                               "}",
                               ",",
                               "true",
                               "1",
                               "\"required\":",
                               "[\"a\"]",
                               "{\"not\":",
                               "{\"enum\":[",
                               "null",
                               "1e308",
                               "-0.0",
                               "\"\\u0000\"",
                               "{\"minimum\":",
                               "{\"a\":",
                               "[",
                               "\"$ref\":\"#/items\""};
  std::size_t good = 0;
  for (int round = 0; round < 20'000; round++) {
    std::string texts[2];
    for (std::string& text : texts) {
      for (std::uint_fast32_t i = 0, n = random() % 12 + 1; i < n; i++) text += parts[random() % std::size(parts)];
      // Closes what is open, so that some of it is JSON.
      std::string open;
      for (const char c : text) {
        if (c == '{' || c == '[') open += c == '{' ? '}' : ']';
        if ((c == '}' || c == ']') && !open.empty()) open.pop_back();
      }
      text.append(open.rbegin(), open.rend());
    }
    const auto schema = Schema::compile(texts[0]);
    if (!schema) continue;
    good++;
    (void)schema.value()->check(texts[1], 10'000);
  }
  EXPECT_GT(good, 0u);
}

}  // namespace
}  // namespace perdure::schema
