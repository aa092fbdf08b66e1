// What a schema allows, where a payload goes wrong and in which words, and schemas that are wrong themselves.
#include "host/schema/schema.h"

#include <gtest/gtest.h>

#include <string>

namespace perdure::schema {
namespace {

// The sentence that refuses `payload`; empty when it fits.
std::string refusal(const std::string& schema, const std::string& payload) {
  const auto compiled = Schema::compile(schema);
  if (!compiled) return "the schema: " + compiled.status().message();
  const std::optional<Fault> fault = compiled.value()->check(payload);
  return fault ? fault->sentence() : "";
}

struct Case {
  const char* schema;
  const char* payload;
  const char* refusal;  // empty: it fits
};

const Case kCases[] = {
    {"true", "[1]", ""},
    {"false", "1", "payload must not be there: the schema allows nothing here"},
    {R"({"type":"string"})", "12", "payload must be a string, not 12"},
    {R"({"type":["string","null"]})", "{\"a\":1}", "payload must be a string or null, not an object"},
    {R"({"type":"integer"})", "1.0", ""},
    {R"({"type":"integer"})", "1.5", "payload must be an integer, not 1.5E0"},
    {R"({"type":"number"})", "7", ""},
    {R"({"const":{"a":[1,2]}})", R"({"a":[1.0,2]})", ""},
    {R"({"const":1})", "true", "payload must be 1, not true"},
    {R"({"enum":["red","green"]})", R"("blue")", R"(payload must be one of "red", "green", not "blue")"},
    {R"({"minimum":1})", "0.5", "payload must be at least 1, not 5E-1"},
    {R"({"exclusiveMinimum":1})", "1", "payload must be greater than 1, not 1"},
    {R"({"maximum":18446744073709551615})", "18446744073709551615", ""},
    {R"({"maximum":9007199254740992})", "9007199254740993",
     "payload must be at most 9007199254740992, not 9007199254740993"},
    {R"({"exclusiveMaximum":1})", "0.9999", ""},
    {R"({"multipleOf":0.01})", "19.99", ""},
    {R"({"multipleOf":0.01})", "19.995", "payload must be a multiple of 1E-2, not 1.9995E1"},
    {R"({"minLength":2})", "\"\xc3\xa9\"", "payload must have at least 2 characters, not 1"},
    {R"({"maxLength":1})", "\"\xc3\xa9\"", ""},
    {R"({"pattern":"^a+$"})", R"("b")", R"(payload must match the pattern ^a+$, which "b" does not)"},
    {R"({"items":{"type":"string"}})", R"(["a",1])", "payload/1 must be a string, not 1"},
    {R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a",1])",
     "payload/1 must not be there: the schema allows nothing here"},
    {R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"(["a",1,2])", ""},
    {R"({"contains":{"const":1}})", "[2,3]",
     "payload must contain at least 1 element that the schema's \"contains\" describes, not 0"},
    {R"({"contains":{"const":1},"maxContains":1})", "[1,1]",
     "payload must contain at most 1 element that the schema's \"contains\" describes, not 2"},
    {R"({"uniqueItems":true})", R"([{"a":1,"b":2},1,{"b":2,"a":1.0}])",
     "payload/2 must differ from every other element; element 0 is the same"},
    {R"({"minItems":1,"maxItems":2})", "[]", "payload must have at least 1 element, not 0"},
    {R"({"maxItems":2})", "[1,2,3]", "payload must have at most 2 elements, not 3"},
    {R"({"required":["name"]})", "{}", "payload/name is missing"},
    {R"({"required":["name"]})", "[]", ""},
    {R"({"properties":{"items":{"items":{"properties":{"price":{"type":"number"}}}}}})",
     R"({"items":[{},{"price":"1"}]})", R"(payload/items/1/price must be a number, not "1")"},
    {R"({"properties":{"colour":{}},"additionalProperties":false})", R"({"color":1})",
     "payload/color is no member that is allowed here; the nearest one that is: colour"},
    {R"({"properties":{"a/b":{"properties":{"~":{"type":"null"}}}}})", R"({"a/b":{"~":1}})",
     "payload/a~1b/~0 must be null, not 1"},
    {R"({"additionalProperties":{"type":"integer"}})", R"({"a":1,"b":"2"})",
     R"(payload/b must be an integer, not "2")"},
    {R"({"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false})", R"({"x-a":1})",
     "payload/x-a must be a string, not 1"},
    {R"({"propertyNames":{"maxLength":2}})", R"({"abc":1})",
     "payload/abc has a name that the schema's \"propertyNames\" does not allow"},
    {R"({"dependentRequired":{"card":["name"]}})", R"({"card":1})", "payload/name is missing; it belongs to card"},
    {R"({"dependencies":{"card":["name"],"x":{"required":["y"]}}})", R"({"x":1})", "payload/y is missing"},
    {R"({"minProperties":1})", "{}", "payload must have at least 1 member, not 0"},
    {R"({"maxProperties":0})", R"({"a":1})", "payload must have at most 0 members, not 1"},
    {R"({"allOf":[{"type":"string"},{"minLength":3}]})", R"("ab")", "payload must have at least 3 characters, not 2"},
    {R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "1", "payload must be a string or null, not 1"},
    {R"({"anyOf":[{"properties":{"a":{"type":"string"}}},{"type":"null"}]})", R"({"a":1})",
     "payload/a must be a string, not 1"},
    {R"({"anyOf":[{"type":"string","minLength":3},{"type":"null"}]})", R"("ab")",
     "payload must have at least 3 characters, not 2 (or be null)"},
    {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "3",
     "payload must fit exactly one of 2 alternatives, but fits number 1 and number 2"},
    {R"({"not":{"type":"string"}})", R"("a")", "payload must not be what the schema's \"not\" describes"},
    {R"({"if":{"type":"string"},"then":{"minLength":2},"else":{"type":"null"}})", R"("a")",
     "payload must have at least 2 characters, not 1"},
    {R"({"if":{"type":"string"},"then":{"minLength":2},"else":{"type":"null"}})", "null", ""},
    {R"({"definitions":{"node":{"properties":{"next":{"$ref":"#/definitions/node"},"n":{"type":"integer"}}}},"$ref":"#/definitions/node"})",
     R"({"next":{"next":{"n":"x"}}})", R"(payload/next/next/n must be an integer, not "x")"},
    {R"({"$defs":{"a b":{"type":"string"}},"items":{"$ref":"#/$defs/a%20b"}})", "[1]",
     "payload/0 must be a string, not 1"},
    {R"({"definitions":{"a":{"$id":"#named","type":"string"}},"$ref":"#named"})", "1",
     "payload must be a string, not 1"},
    {R"({"format":"email"})", R"("no address")", ""},
    {R"({"unknown":1})", "1", ""},
};

TEST(Schema, SaysWhatDoesNotFitWhereAndWhy) {
  for (const Case& each : kCases) EXPECT_EQ(refusal(each.schema, each.payload), each.refusal) << each.schema;
}

struct Wrong {
  const char* schema;
  const char* message;
};
const Wrong kWrong[] = {
    {R"([])", "payloadSchema must be an object, true or false, not []"},
    {R"({"type":"text"})", "payloadSchema/type must be one of null, boolean, object"},
    {R"({"properties":{"a":{"type":["string","int"]}}})", "payloadSchema/properties/a/type/1 must be one of"},
    {R"({"type":[]})", "payloadSchema/type must name at least one type"},
    {R"({"properties":{"a":3}})", "payloadSchema/properties/a must be an object, true or false, not 3"},
    {R"({"properties":[]})", "payloadSchema/properties must be an object"},
    {R"({"required":"name"})", "payloadSchema/required must be an array of names"},
    {R"({"required":[1]})", "payloadSchema/required must hold names only, not 1"},
    {R"({"minLength":-1})", "payloadSchema/minLength must be a whole number of at least 0, not -1"},
    {R"({"maxItems":1.5})", "payloadSchema/maxItems must be a whole number"},
    {R"({"minimum":"1"})", "payloadSchema/minimum must be a number"},
    {R"({"exclusiveMinimum":true})", "payloadSchema/exclusiveMinimum must be a number, not true"},
    {R"({"multipleOf":0})", "payloadSchema/multipleOf must be greater than 0"},
    {R"({"enum":"a"})", "payloadSchema/enum must be an array"},
    {R"({"anyOf":[]})", "payloadSchema/anyOf must be an array of at least one schema"},
    {R"({"allOf":{}})", "payloadSchema/allOf must be an array of at least one schema"},
    {R"({"uniqueItems":1})", "payloadSchema/uniqueItems must be true or false"},
    {R"({"pattern":"("})", "payloadSchema/pattern is no regular expression that can be used: a ( has no )"},
    {R"({"patternProperties":{"[":{}}})", "payloadSchema/patternProperties/[ is no regular expression"},
    {R"x({"items":{"pattern":"(?=a)"}})x", "payloadSchema/items/pattern is no regular expression"},
    {R"({"$ref":"#/definitions/none"})", "payloadSchema/$ref refers to \"#/definitions/none\", which is no place"},
    {R"({"$ref":"https://example.com/schema"})", "payloadSchema/$ref refers to"},
    {R"({"$ref":3})", "payloadSchema/$ref must be a string"},
    {R"({"unevaluatedProperties":false})", "payloadSchema/unevaluatedProperties is not supported: use additional"},
    {R"({"$ref":"#"})", "payloadSchema refers to itself without end"},
    {R"({"definitions":{"a":{"anyOf":[{"$ref":"#/definitions/b"},{"type":"null"}]},"b":{"not":{"$ref":"#/definitions/a"}}},"items":{"$ref":"#/definitions/a"}})",
     "refers to itself without end"},
    {R"({"type":)", "payloadSchema"},
};

TEST(Schema, ThatIsWrongIsRefusedWithThePlaceInIt) {
  for (const Wrong& each : kWrong) {
    const auto compiled = Schema::compile(each.schema);
    ASSERT_FALSE(compiled) << each.schema;
    EXPECT_NE(compiled.status().message().find(each.message), std::string::npos) << compiled.status().message();
  }
}

TEST(Schema, TheDocumentOfTaskOptionsIsOne) {
  EXPECT_TRUE(Schema::compile(R"({"type":"object","properties":{"id":{"type":"string"}},"required":["id"]})"));
}

}  // namespace
}  // namespace perdure::schema
