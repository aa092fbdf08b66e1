#include "host/api/guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

#include "host/api/api.h"
#include "host/api/errors.h"

namespace perdure::api {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// "name[:port]" or "[address][:port]" without the port, in lower case; empty when it is neither.
std::string host_part(std::string_view text) {
  std::string_view name = text;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return {};
    name = text.substr(0, close + 1);
    rest = text.substr(close + 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    name = text.substr(0, colon);
    rest = text.substr(colon);
  }
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (!rest.empty() && (rest.front() != ':' || !std::all_of(rest.begin() + 1, rest.end(), is_digit))) return {};
  const auto is_name = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '[' || c == ']' || c == ':';
  };
  if (!std::ranges::all_of(name, is_name)) return {};
  std::string found = lower(name);
  if (!found.empty() && found.back() == '.') found.pop_back();
  return found;
}

bool is_address(const std::string& name) {
  in6_addr address{};
  if (name.size() > 2 && name.front() == '[') {
    return inet_pton(AF_INET6, name.substr(1, name.size() - 2).c_str(), &address) == 1;
  }
  return inet_pton(AF_INET, name.c_str(), &address) == 1;
}

bool is_loopback(const std::string& name) {
  return name == "localhost" || name.ends_with(".localhost") || name == "[::1]" ||
         (name.starts_with("127.") && is_address(name));
}

}  // namespace

Guard::Guard(const auth::KeyRing& keys, const std::vector<std::string>& host_names) : keys_(keys) {
  for (const std::string& name : host_names) host_names_.push_back(lower(name));
}

bool Guard::is_ours(std::string_view name) const { return std::ranges::find(host_names_, name) != host_names_.end(); }

std::optional<Response> Guard::check_host(const Request& request) const {
  const std::string* const host = request.header("host");
  if (host == nullptr) return std::nullopt;  // HTTP/1.0; the parser insists on it in HTTP/1.1
  const std::string name = host_part(*host);
  if (name.empty()) return error_response(400, "the Host header must be a name or an address, with or without a port");
  // An address cannot be rebound: whoever sends it means this machine.
  if (!is_loopback(name) && !is_address(name) && !is_ours(name)) {
    return error_response(403, "this host is not \"" + name + "\": use its address, or configure the name");
  }
  return std::nullopt;
}

std::optional<Response> Guard::check_origin(const Request& request, bool for_browsers) const {
  const std::string* const origin = request.header("origin");
  if (origin == nullptr || for_browsers) return std::nullopt;
  const std::string* const host = request.header("host");
  const auto scheme_end = origin->find("://");
  if (scheme_end != std::string::npos) {
    const std::string_view authority = std::string_view(*origin).substr(scheme_end + 3);
    const std::string page = host_part(authority);
    if (is_loopback(page) || is_ours(page) || (!page.empty() && host != nullptr && authority == *host))
      return std::nullopt;
  }
  return error_response(403, "pages of the origin \"" + *origin + "\" may not use this host");
}

Response Guard::refuse_key(const Request& request, std::string_view why) const {
  const auto wait = failures_.note(request.network, std::chrono::steady_clock::now());
  if (!wait) return error_response(401, why);
  Response response = error_response(
      429, "too many keys from this address were not valid here; wait before the next: " + std::string(why));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
  response.headers.push_back({"retry-after", std::to_string(seconds)});
  response.headers.push_back({"x-ratelimit-remaining", "0"});
  response.headers.push_back({"x-ratelimit-reset", std::to_string((wall_clock() + *wait).time_since_epoch().count())});
  return response;
}

std::optional<Response> Guard::check_key(Request& request) const {
  constexpr std::string_view kScheme = "bearer ";
  const std::string* const authorization = request.header("authorization");
  if (authorization == nullptr) {
    return error_response(401, "an API key is missing: send the header \"authorization: Bearer KEY\"");
  }
  if (authorization->size() < kScheme.size() || lower(authorization->substr(0, kScheme.size())) != kScheme) {
    return refuse_key(request, "the API key is not valid here: send the header \"authorization: Bearer KEY\"");
  }
  store::Result<auth::CallerPtr> caller =
      keys_.authenticate(std::string_view(*authorization).substr(kScheme.size()), wall_clock());
  if (!caller) return refuse_key(request, caller.status().message());
  request.caller = std::move(caller).value();
  return std::nullopt;
}

}  // namespace perdure::api
