#include "host/api/openapi_schema.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace perdure::api {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kPlain{
    {{"text", R"({"type":"string"})"},
     {"time", R"({"type":"string","format":"date-time"})"},
     {"integer", R"({"type":"integer"})"},
     {"number", R"({"type":"number"})"},
     {"flag", R"({"type":"boolean"})"},
     {"any", "{}"},
     {"object", R"({"type":"object"})"},
     {"texts", R"({"type":"object","additionalProperties":{"type":"string"}})"}}};

struct Member {
  std::string_view name, type;
  bool required = true;
};

// The members of a schema, those of the ones that it names with "!" included.
void collect(std::string_view members, std::vector<Member>& out) {
  while (!members.empty()) {
    const std::size_t end = std::min(members.find(' '), members.size());
    const std::string_view word = members.substr(0, end);
    members.remove_prefix(std::min(end + 1, members.size()));
    if (word.starts_with('!')) {
      const auto all = object_schemas();
      const auto other = std::ranges::find(all, word.substr(1), &ObjectSchema::name);
      if (other != all.end()) collect(other->members, out);
      continue;
    }
    const std::size_t colon = word.find(':');
    Member member{word.substr(0, colon), word.substr(colon + 1)};
    if (member.name.ends_with('?')) {
      member.name.remove_suffix(1);
      member.required = false;
    }
    out.push_back(member);
  }
}

void put_schema(JsonText& json, const ObjectSchema& schema) {
  std::vector<Member> members;
  collect(schema.members, members);
  json.begin_object().text("type", "object").key("properties").begin_object();
  for (const Member& member : members) put_type(json.key(member.name), member.type);
  json.end_object();
  if (std::ranges::any_of(members, &Member::required)) {
    json.key("required").begin_array();
    for (const Member& member : members) {
      if (member.required) json.text(member.name);
    }
    json.end_array();
  }
  json.end_object();
}

}  // namespace

void put_type(JsonText& json, std::string_view type) {
  if (type.ends_with("|null")) {
    json.begin_object().key("anyOf").begin_array();
    put_type(json, type.substr(0, type.size() - 5));
    json.raw(R"({"type":"null"})").end_array().end_object();
  } else if (type.starts_with('[')) {
    json.begin_object().text("type", "array").key("items");
    put_type(json, type.substr(1, type.size() - 2));
    json.end_object();
  } else if (const auto* const plain = std::ranges::find(kPlain, type, &decltype(kPlain)::value_type::first);
             plain != kPlain.end()) {
    json.raw(plain->second);
  } else {
    json.begin_object().text("$ref", "#/components/schemas/" + std::string(type)).end_object();
  }
}

void put_schemas(JsonText& json) {
  json.begin_object();
  for (const ObjectSchema& schema : object_schemas()) put_schema(json.key(schema.name), schema);
  json.end_object();
}

}  // namespace perdure::api
