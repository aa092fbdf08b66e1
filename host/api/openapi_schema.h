// What answers look like, for the API's description: one line for each kind of object, which becomes a JSON Schema. A
// test holds every example's answer against it. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/api/json_text.h"

namespace perdure::api {

struct ObjectSchema {
  std::string_view name;
  /// Its members, by blanks: "name:type", with "?" after the names of those that may be missing and "!" in front of
  /// what else there is: "!Run" are all members of another one. Types: text, time, integer, number, flag, any, object
  /// (of anything), texts (object of texts), or the name of a schema; "[type]" is a list, "|null" after a type allows
  /// that.
  std::string_view members;
};

std::span<const ObjectSchema> object_schemas();

/// Writes the JSON Schema of a type as above: for a schema's name a reference to it.
void put_type(JsonText& json, std::string_view type);

/// Writes {"NAME":{…},…} of all object_schemas().
void put_schemas(JsonText& json);

}  // namespace perdure::api
