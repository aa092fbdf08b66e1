// A client whose host is a canned server: what the tests of its verbs have in common.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include <perdure/client.hpp>

#include "tests/plugin-api/canned_server.h"

namespace perdure::test {

/// The options of a client of `server` that makes calls again at once.
inline client::Options options_for(const CannedServer& server) {
  client::Options options{.url = server.url(""), .key = "tr_prod_test"};
  options.retry.min_timeout = milliseconds(0);
  return options;
}

/// An answer after which the connection stays open.
inline std::string kept(int status, const std::string& headers, const std::string& body) {
  std::string text = answer(status, headers, body);
  const std::string close = "Connection: close\r\n";
  return text.erase(text.find(close), close.size());
}

/// A run as GET /api/v3/runs/{id} tells it, with further members: ,"output":1
inline std::string run_json(const std::string& status, const std::string& more = "") {
  return R"({"id":"run_1","taskIdentifier":"hello","status":")" + status +
         R"(","createdAt":"2026-11-23T13:34:33.216Z","updatedAt":"2026-11-23T13:34:34Z")" + more + "}";
}
inline const char* const kFinished = R"(,"finishedAt":"2026-11-23T13:34:34Z")";

/// The value of a header of a request as it was sent; empty when it has none. `name` in lower case.
inline std::string header_of(const std::string& request, const std::string& name) {
  const auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const auto start = at + name.size() + 4;
  return request.substr(start, request.find("\r\n", start) - start);
}

inline std::string body_of(const std::string& request) {
  const auto end = request.find("\r\n\r\n");
  return end == std::string::npos ? "" : request.substr(end + 4);
}

}  // namespace perdure::test
