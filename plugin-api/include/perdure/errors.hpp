// What a task throws to say how its attempt ends. Any other exception fails the attempt under its own type's name and
// is retried by the task's policy; std::bad_alloc is out of memory. Values; any thread.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include <perdure/json.hpp>

namespace perdure {

/// A time as tasks name it: milliseconds since the Unix epoch, UTC.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// Fails the attempt with a name of the author's choice, and with details as JSON that are shown beside it.
class Error : public std::runtime_error {
 public:
  Error(std::string name, const std::string& message, json::value details = nullptr)
      : std::runtime_error(message), name_(std::move(name)), details_(std::move(details)) {}

  const std::string& name() const noexcept { return name_; }
  /// null when there are none.
  const json::value& details() const noexcept { return details_; }

 private:
  std::string name_;
  json::value details_;
};

/// Fails the run for good: no retry, whatever the policy says.
class Abort : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Fails the attempt; the next one, if there is one left, starts at `at` instead of after the policy's delay.
class RetryAt : public std::runtime_error {
 public:
  RetryAt(Instant at, const std::string& message) : std::runtime_error(message), at_(at) {}
  /// The same, `delay` from now.
  RetryAt(std::chrono::milliseconds delay, const std::string& message)
      : RetryAt(std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()) + delay,
                message) {}

  Instant at() const noexcept { return at_; }

 private:
  Instant at_;
};

/// The work needs more memory than its machine has: retried, on the machine of `retry.out_of_memory` when there is one.
class OutOfMemory : public std::runtime_error {
 public:
  explicit OutOfMemory(const std::string& message = "out of memory") : std::runtime_error(message) {}
};

/// The payload is not what the task declares: fails the run for good. Thrown by the SDK before `run` is called.
class PayloadInvalid : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace perdure
