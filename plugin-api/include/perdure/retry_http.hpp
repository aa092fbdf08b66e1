// HTTP requests that are made again inside an attempt until they succeed, with a strategy for each kind of failure: by
// status, for connections that fail, and for responses that take too long.
//
//   const auto page = perdure::retry::http(run, {.url = "https://api.example.com/v1/items"},
//                                          {.by_status = {{"429,408", RateLimit{.reset_header = "x-ratelimit-reset",
//                                                                               .format = ResetFormat::kUnixSeconds}},
//                                                         {"500-599", Backoff{.max_attempts = 5, .factor = 1.8}}},
//                                           .timeout = 10s});
//
// Not included by task.hpp: only what includes this links libcurl.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include <perdure/attempt.hpp>
#include <perdure/errors.hpp>
#include <perdure/http_reset.hpp>
#include <perdure/http_transfer.hpp>
#include <perdure/retry.hpp>

namespace perdure::retry {

using std::chrono::milliseconds;

/// Waits min, min·factor, min·factor² …, at most max; when randomized times a factor between one and two.
struct Backoff {
  int max_attempts = 10;  // in total, the first one included
  double factor = 2;
  milliseconds min_timeout{1000};
  milliseconds max_timeout{60000};
  bool randomize = true;
};

/// Waits until the time that the response names: its Retry-After first, else its reset header. Without either, or with
/// one that cannot be read, `otherwise` decides.
struct RateLimit {
  std::string reset_header{};      // such as "x-ratelimit-reset"; in lower case
  std::string remaining_header{};  // waits for the reset only when this one is 0 or absent
  ResetFormat format = ResetFormat::kUnixMilliseconds;
  int max_attempts = 10;
  milliseconds max_wait{3600000};  // a later reset is not waited for: the response is what it is
  Backoff otherwise{};
};

struct ByStatus {
  std::string statuses;  // "429", "429,408", "500-599"
  std::variant<Backoff, RateLimit> strategy;
};

struct HttpRetry {
  /// The first that names the response's status counts; a status that none names is a result.
  std::vector<ByStatus> by_status{{"429", RateLimit{}}, {"408,409,500-599", Backoff{}}};
  Backoff connection_error{};
  std::optional<milliseconds> timeout{};  // of each attempt; none by default
  Backoff on_timeout{.max_attempts = 3};
  int max_attempts = 100;  // of all kinds together
  std::size_t max_body = std::size_t{16} << 20;
};

namespace detail {

/// Whether "429,500-599" names this status. A text that is none names nothing.
inline bool names_status(std::string_view list, int status) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view part = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    int from = 0, to = 0;
    const char* const end = part.data() + part.size();
    const auto first = std::from_chars(part.data(), end, from);
    if (first.ec != std::errc()) continue;
    to = from;
    if (first.ptr != end) {
      if (*first.ptr != '-') continue;
      const auto second = std::from_chars(first.ptr + 1, end, to);
      if (second.ec != std::errc() || second.ptr != end) continue;
    }
    if (from <= status && status <= to) return true;
  }
  return false;
}

/// How long to wait after `failures` of this kind; nothing: no more.
inline std::optional<milliseconds> pause_of(const Backoff& backoff, int failures) {
  if (failures >= backoff.max_attempts) return std::nullopt;
  return delay({.factor = backoff.factor,
                .min_timeout = backoff.min_timeout,
                .max_timeout = backoff.max_timeout,
                .randomize = backoff.randomize},
               failures, random_share());
}

inline std::optional<milliseconds> pause_of(const RateLimit& limit, int failures, const HttpResponse& response) {
  if (failures >= limit.max_attempts) return std::nullopt;
  const Instant now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  std::optional<Instant> at = reset_time(response.header("retry-after"), ResetFormat::kRetryAfter, now);
  const std::string_view remaining = limit.remaining_header.empty() ? "" : response.header(limit.remaining_header);
  if (!at && !limit.reset_header.empty() && (remaining.empty() || remaining == "0")) {
    at = reset_time(response.header(limit.reset_header), limit.format, now);
  }
  if (!at) return pause_of(limit.otherwise, failures);
  if (*at - now > limit.max_wait) return std::nullopt;
  return std::max(*at - now, milliseconds(0));
}

}  // namespace detail

/// Makes the request until it gets a response that no strategy names, or one whose strategy is used up: that response
/// is the result, whatever its status. The task leaves when it must stop, while it waits and while it transfers. Throws
/// Abort when the request can never be made, Error "HttpTimeout" or "HttpConnectionError" when there was no response
/// and the attempts for that are used up. Each further attempt is logged.
inline HttpResponse http(Attempt& run, const HttpRequest& request, const HttpRetry& retry = {}) {
  std::vector<int> failures(retry.by_status.size(), 0);
  int timeouts = 0, connections = 0;
  for (int attempt = 1;; ++attempt) {
    HttpResponse response;
    const auto failed = detail::exchange(run, request, retry.timeout, retry.max_body, response);
    response.attempts = attempt;
    const bool last = attempt >= retry.max_attempts;
    std::optional<milliseconds> pause;
    std::string reason;
    if (failed) {
      const std::string what = request.method + ' ' + request.url + ": " + failed->why;
      if (failed->hopeless) throw Abort(what);
      pause = failed->timed_out ? detail::pause_of(retry.on_timeout, ++timeouts)
                                : detail::pause_of(retry.connection_error, ++connections);
      if (!pause || last) {
        throw Error(failed->timed_out ? "HttpTimeout" : "HttpConnectionError", what, {{"attempts", attempt}});
      }
      reason = failed->why;
    } else {
      for (std::size_t i = 0; i < retry.by_status.size(); ++i) {
        const ByStatus& each = retry.by_status[i];
        if (!detail::names_status(each.statuses, response.status)) continue;
        const auto* const backoff = std::get_if<Backoff>(&each.strategy);
        ++failures[i];
        pause = backoff != nullptr ? detail::pause_of(*backoff, failures[i])
                                   : detail::pause_of(std::get<RateLimit>(each.strategy), failures[i], response);
        break;
      }
      if (!pause || last) return response;
      reason = "status " + std::to_string(response.status);
    }
    run.log.warn("request failed, trying again", {{"method", request.method},
                                                  {"url", request.url},
                                                  {"reason", reason},
                                                  {"attempt", attempt},
                                                  {"delayMs", pause->count()}});
    run.sleep_for(*pause);
  }
}

}  // namespace perdure::retry
