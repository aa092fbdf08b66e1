// One HTTP exchange over libcurl, which nothing else here knows. Attempt's thread; libcurl may resolve names on a
// thread of its own meanwhile.
#pragma once

#include <perdure/task.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace http {

struct Exchange {
  std::string url;
  std::string method;
  std::vector<std::string> headers;  // as libcurl takes them: "name: value"
  std::optional<std::string> body;
  std::chrono::milliseconds timeout{};
};

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; those of one name joined by ", "
  std::string body;
  std::chrono::seconds retry_after{};  // 0 when the server does not say
};

/// Bytes of a body that are taken; more is an error. Whatever they are, they fit the host's output limit.
constexpr std::size_t kMostBody = std::size_t{4} << 20;

/// Makes the exchange and follows up to ten redirects, over http and https only. Leaves the task function when the
/// attempt must stop. Throws Abort when the request can never be made, and perdure::Error when it may be later.
Answer transfer(const Exchange& exchange, perdure::Attempt& run);

}  // namespace http
