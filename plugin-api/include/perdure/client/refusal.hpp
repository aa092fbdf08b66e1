// Answers that say no, and no answers at all, as exceptions that name the call, what is wrong and what to do. Pure
// functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <perdure/client/errors.hpp>
#include <perdure/client/options.hpp>
#include <perdure/client/pacing.hpp>
#include <perdure/json.hpp>

namespace perdure::client::detail {

/// The body as an object; empty when it is none.
inline json::object object_in(const std::string& body) {
  try {
    json::value value = perdure::detail::parse(body);
    return value.is_object() ? std::move(value.get_object()) : json::object();
  } catch (const JsonError&) {
    return {};
  }
}

/// The host's sentence, with the issues of a wrong body.
inline std::string sentence_of(const json::object& body, int status) {
  const auto text = [](const json::object& of, const char* name) {
    const json::value* const value = of.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  std::string sentence = text(body, "error");
  if (sentence.empty()) return "the host answered with status " + std::to_string(status) + " and no reason";
  for (const char* const list : {"issues", "details"}) {
    const json::value* const issues = body.if_contains(list);
    if (issues == nullptr || !issues->is_array()) continue;
    for (const json::value& issue : issues->get_array()) {
      const std::string message = issue.is_object() ? text(issue.get_object(), "message") : std::string();
      if (!message.empty() && sentence.find(message) == std::string::npos) sentence += "; " + message;
    }
  }
  return sentence;
}

[[noreturn]] inline void throw_refusal(const std::string& doing, const HttpResponse& response, const Options& options) {
  const int status = response.status;
  json::object body = object_in(response.body);
  std::string words = doing + ": ";
  if (status >= 300 && status < 400) {
    throw Invalid(words + options.url + " sends requests on to " + std::string(response.header("location")) +
                      "; give the client that address, if the host is there",
                  status, std::move(body));
  }
  words += sentence_of(body, status);
  switch (status) {
    case 401:
      words += options.key.empty() ? "; no key was sent: give the client one" : "; the key is not one of this host's";
      if (!options.key_source.empty()) words += " (it was looked for in " + options.key_source + ")";
      words += ". It is in the host's DATA/secret, or made by `perdure keys create`";
      throw Unauthorized(words, status, std::move(body));
    case 403:
      throw Forbidden(words + "; use a key that may", status, std::move(body));
    case 404:
      throw NotFound(words, status, std::move(body));
    case 429:
      throw RateLimited(words, status, std::move(body), reset_of(response, wall_now()));
    default:
      break;
  }
  if (status >= 500) throw HostFailed(words, status, std::move(body));
  throw Invalid(words, status, std::move(body));
}

[[noreturn]] inline void throw_unreachable(const std::string& doing, const NoResponse& failure,
                                           const Options& options) {
  if (failure.unsent) {
    throw Unreachable(doing + ": no host answers at " + options.url + " (" + failure.why +
                          "); start one with `perdure serve`, or name another by PERDURE_URL or the client's options",
                      true);
  }
  throw Unreachable(doing + ": the exchange with " + options.url + " broke off: " + failure.why, false);
}

}  // namespace perdure::client::detail
