// One HTTP request and one answer as plain values: all that the endpoints see of HTTP. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/api/auth/caller.h"

namespace perdure::api {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kOther };
std::string_view method_name(Method method);

struct Field {
  std::string name;
  std::string value;
};

struct Request {
  Method method = Method::kGet;
  std::string target;             // as sent
  std::vector<std::string> path;  // its segments, percent-decoded: a segment may contain '/'
  std::vector<Field> query;       // percent-decoded, in the order sent
  std::vector<Field> headers;     // names in lower case
  std::string body;
  std::string id;                 // x-request-id: the client's, or made up
  std::string argument;           // the path segment that the route leaves open
  std::string second_argument{};  // … and the one after that, if it leaves two open
  std::uint64_t network = 0;      // the client's address: of IPv4 all, of IPv6 the network
  auth::CallerPtr caller{};       // who asks; null: whoever may do everything
  bool from_a_page = false;       // of any origin, which is to be let see the answer

  /// The first header of that (lower-case) name, or nullptr.
  [[nodiscard]] const std::string* header(std::string_view name) const;
  /// The first query parameter of that name, or nullptr.
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string body{};
  std::string content_type = "application/json";  // empty: no such header
  std::vector<Field> headers{};
  bool close = false;  // end the connection after it
};

std::string_view reason_phrase(unsigned status);

/// 200 with a JSON document.
inline Response ok(std::string json) { return {.status = 200, .body = std::move(json)}; }

}  // namespace perdure::api
