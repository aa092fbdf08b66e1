#include "host/api/realtime/shape.h"

#include <chrono>
#include <functional>
#include <utility>

#include "host/api/auth/random_text.h"
#include "host/api/query.h"

namespace perdure::api {
namespace {

constexpr int kJitterPercent = 15;

std::string value_of(const Request& request, std::string_view name) {
  const std::string* const value = request.parameter(name);
  return value == nullptr ? std::string() : *value;
}

}  // namespace

ShapeQuery read_shape_query(Request& request) {
  ShapeQuery query{.offset = value_of(request, "offset"), .handle = value_of(request, "handle")};
  query.live = value_of(request, "live") == "true" && !query.offset.empty() && query.offset != "-1";
  std::vector<std::string> skipped = list_parameter(request, "skipColumns");
  if (request.caller && request.caller->token) {
    const std::vector<std::string>& more = request.caller->token->skip_columns;
    skipped.insert(skipped.end(), more.begin(), more.end());
  }
  query.columns = columns_without(skipped);
  request.headers = {};
  request.query = {};
  request.path = {};
  request.target = {};
  return query;
}

SteadyTime held_until(const Api& api, const Request& request) {
  const auto share = static_cast<long>(std::hash<std::string>()(request.id) % (2 * kJitterPercent + 1));
  return std::chrono::steady_clock::now() + api.options.limits.live_hold * (100 - kJitterPercent + share) / 100;
}

void ShapeMessages::add(Operation operation, const store::RunId& run, std::string_view row) {
  body_ += R"({"key":"\"public\".\"TaskRun\"/\")";
  body_ += run.text();
  body_ += R"(\"","value":)";
  body_ += row;
  body_ += operation == Operation::kInsert ? R"(,"headers":{"operation":"insert"}},)"
                                           : R"(,"headers":{"operation":"update"}},)";
}

Response ShapeMessages::answer(const ShapeQuery& query, const std::string& offset, const std::string& handle) && {
  body_ += R"({"headers":{"control":"up-to-date"}}])";
  Response response = ok(std::move(body_));
  response.headers = {{"electric-offset", offset}, {"electric-handle", handle}, {"electric-up-to-date", ""}};
  if (query.live) {
    response.headers.push_back({"electric-cursor", offset.substr(offset.find('_') + 1)});
  } else {
    response.headers.push_back({"electric-schema", schema_of(query.columns)});
  }
  return response;
}

Response must_refetch() {
  return {.status = 409,
          .body = R"([{"headers":{"control":"must-refetch"}}])",
          .headers = {{"electric-handle", auth::random_text(21)}}};
}

}  // namespace perdure::api
