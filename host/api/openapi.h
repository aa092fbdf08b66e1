// The description of the API, as an OpenAPI document: one line for each route. Tests hold it against the router's
// table, execute every example and hold what is answered against its schema. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/api/http.h"

namespace perdure::api {

struct Operation {
  Method method;
  std::string_view path;                       // "/api/v3/runs/{run}"
  std::string_view answer;                     // what a success answers, as openapi_schema.h has it; empty: events
  std::string_view summary;                    // one sentence
  std::string_view query{};                    // names of query parameters, by blanks; "name=value": as in the example
  std::string_view body{};                     // an example of what is sent, as JSON; empty: nothing is
  unsigned status = 200;                       // of a success
  std::string_view type = "application/json";  // of the body
};

std::span<const Operation> operations();

/// The document; `version` is Perdure's.
std::string openapi_document(std::string_view version);

}  // namespace perdure::api
