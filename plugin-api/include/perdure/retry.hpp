// Retrying a part of a task inside its attempt, with the same options and the same backoff as retries of the task.
// Attempt's thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <perdure/attempt.hpp>
#include <perdure/errors.hpp>
#include <perdure/options.hpp>
#include <perdure/type_name.hpp>

namespace perdure::retry {

/// The delay after attempt `attempt`, counted from 1; `random` is uniform in [0,1).
inline milliseconds delay(const Retry& options, int attempt, double random) {
  const auto least = static_cast<double>(options.min_timeout.value_or(milliseconds(1000)).count());
  const auto most = static_cast<double>(options.max_timeout.value_or(milliseconds(60000)).count());
  const double factor = std::pow(options.factor.value_or(2), attempt - 1);
  const double spread = options.randomize.value_or(true) ? 1 + random : 1;
  return milliseconds(static_cast<std::int64_t>(std::min(most, least * factor * spread)));
}

namespace detail {
/// In [0,1); from the clock, so that children of one zygote differ.
inline double random_share() {
  auto x = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1.0p-53;
}
}  // namespace detail

/// Calls body(attempt number from 1) until it returns, at most `options.max_attempts` times (3), sleeping between; then
/// lets its last exception out. Not retried: Abort, being out of memory, and a stop of the attempt, which also ends the
/// sleeping. `options.on` and `.out_of_memory` do not apply here.
///
///   const auto page = perdure::retry::on_throw(run, {.max_attempts = 5, .min_timeout = 200ms},
///                                              [&](int) { return fetch(url); });
template <class Body>
std::invoke_result_t<Body&, int> on_throw(Attempt& run, const Retry& options, Body&& body) {
  const int most = std::max(1, options.max_attempts.value_or(3));
  for (int attempt = 1;; ++attempt) {
    milliseconds pause{};
    try {
      return body(attempt);
    } catch (const Abort&) {
      throw;
    } catch (const OutOfMemory&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      if (attempt >= most || run.leaving().pending() != PERDURE_OK) throw;
      pause = delay(options, attempt, detail::random_share());
      run.log.warn(
          "attempt " + std::to_string(attempt) + " of " + std::to_string(most) + " failed, trying again",
          {{"error", perdure::detail::current_exception_name()}, {"message", e.what()}, {"delayMs", pause.count()}});
    }
    run.sleep_for(pause);
  }
}

}  // namespace perdure::retry
