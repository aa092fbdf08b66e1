// Makes an HTTP request as a durable task: {"url", "method"?, "headers"?, "body"?, "timeout_ms"?} -> {"status",
// "headers", "body"}. 5xx and 429 are failures, retried when Retry-After says or else by the policy; any other status
// is a result.
#include <perdure/task.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base64.hpp"
#include "transfer.hpp"

using namespace std::chrono_literals;

namespace {

struct Request {
  std::string url;
  std::optional<std::string> method;  // GET, or POST when there is a body
  std::optional<std::map<std::string, std::string>> headers;
  std::optional<perdure::json::value> body;  // a string is sent as it is, anything else as JSON
  std::optional<std::uint32_t> timeout_ms;   // for the whole exchange; a minute
};
struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::optional<std::string> encoding;  // "base64" when the body is no UTF-8 text
};
BOOST_DESCRIBE_STRUCT(Request, (), (url, method, headers, body, timeout_ms))
BOOST_DESCRIBE_STRUCT(Response, (), (status, headers, body, encoding))

/// A failure whose time to retry the server has named.
class HttpStatus : public perdure::RetryAt {
 public:
  using RetryAt::RetryAt;
};

std::string shortened(std::string_view body) {
  constexpr std::size_t kMost = 2000;
  return http::is_utf8(body) ? std::string(body.substr(0, kMost)) : std::string();
}

[[noreturn]] void fail(const http::Answer& answer, const std::string& url) {
  const std::string message = url + " answered with status " + std::to_string(answer.status);
  if (answer.retry_after > 0s) throw HttpStatus(answer.retry_after, message);
  throw perdure::Error("HttpStatus", message, {{"status", answer.status}, {"body", shortened(answer.body)}});
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_content_type(std::string_view name) {
  constexpr std::string_view kName = "content-type";
  return std::equal(name.begin(), name.end(), kName.begin(), kName.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

http::Exchange exchange_of(Request request) {
  http::Exchange exchange;
  exchange.url = std::move(request.url);
  exchange.method = request.method.value_or(request.body ? "POST" : "GET");
  if (!is_token(exchange.method)) throw perdure::Abort("method \"" + exchange.method + "\" is no HTTP method");
  std::string type;
  if (request.body) {
    const perdure::json::string* const text = request.body->if_string();
    exchange.body = text != nullptr ? std::string(std::string_view(*text)) : perdure::to_json(*request.body);
    type = text != nullptr ? "text/plain; charset=utf-8" : "application/json";
  }
  exchange.timeout = std::chrono::milliseconds(request.timeout_ms.value_or(60'000));
  for (const auto& [name, value] : std::move(request.headers).value_or(std::map<std::string, std::string>())) {
    if (!is_token(name)) throw perdure::Abort("headers: \"" + name + "\" is no header name");
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      throw perdure::Abort("headers: the value of \"" + name + "\" contains a line break or NUL");
    }
    if (is_content_type(name)) type.clear();
    exchange.headers.push_back(value.empty() ? name + ";" : name + ": " + value);  // libcurl's way to send an empty one
  }
  if (!type.empty()) exchange.headers.push_back("Content-Type: " + type);
  exchange.headers.push_back("Expect:");  // no 100-continue
  return exchange;
}

constexpr perdure::Task<Request, Response> http_request{
    .id = "http-request",
    .description = "Makes an HTTP request; 5xx and 429 are retried, as Retry-After says",
    .run =
        [](Request request, perdure::Attempt& run) {
          const http::Exchange exchange = exchange_of(std::move(request));
          http::Answer answer = http::transfer(exchange, run);
          run.log.info("answered", {{"status", answer.status}, {"bytes", answer.body.size()}});
          if (answer.status == 429 || answer.status >= 500) fail(answer, exchange.url);
          Response response{answer.status, std::move(answer.headers), std::move(answer.body), std::nullopt};
          if (!http::is_utf8(response.body)) {
            response.body = http::base64(response.body);
            response.encoding = "base64";
          }
          return response;
        },
};

}  // namespace

PERDURE_PLUGIN("http-request", "1.0.0", http_request)
