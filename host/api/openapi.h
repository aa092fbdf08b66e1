// The description of the API, as an OpenAPI document: one line for each route. A test holds it against the router's
// table and executes every example. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/api/http.h"

namespace perdure::api {

struct Operation {
  Method method;
  std::string_view path;                       // "/api/v3/runs/{run}"
  std::string_view summary;                    // one sentence
  std::string_view query{};                    // names of query parameters, by blanks
  std::string_view body{};                     // an example of what is sent, as JSON; empty: nothing is
  unsigned status = 200;                       // of a success
  std::string_view type = "application/json";  // of the body
};

std::span<const Operation> operations();

/// The document; `version` is Perdure's.
std::string openapi_document(std::string_view version);

}  // namespace perdure::api
