// What the client's verbs throw: a class for each thing that a program may want to do about it. A run that fails is no
// exception but a value, a RunResult. Values; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <perdure/errors.hpp>
#include <perdure/json.hpp>

namespace perdure::client {

/// Of all of them. what() names the call, what is wrong and, where there is something, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, int status = 0, json::object body = {})
      : std::runtime_error(message), status_(status), body_(std::move(body)) {}

  /// The HTTP status; 0 when there was no answer.
  int status() const noexcept { return status_; }
  /// The refusal as the host has put it, {"error", …}; "issues" say what is wrong with a body. Empty when there is
  /// none.
  const json::object& body() const noexcept { return body_; }

 private:
  int status_;
  json::object body_;
};

/// 401: no key, or not a valid one.
class Unauthorized : public Error {
 public:
  using Error::Error;
};
/// 403: the key may not do this.
class Forbidden : public Error {
 public:
  using Error::Error;
};
/// 404: there is no such task, run, batch, token or queue.
class NotFound : public Error {
 public:
  using Error::Error;
};
/// 400, 413, 422 and other 4xx: a payload, an option or a filter that the host does not take.
class Invalid : public Error {
 public:
  using Error::Error;
};
/// 429, after the retries.
class RateLimited : public Error {
 public:
  RateLimited(const std::string& message, int status, json::object body, std::optional<Instant> reset)
      : Error(message, status, std::move(body)), reset_(reset) {}
  /// When one may ask again, if the host said so.
  std::optional<Instant> reset() const noexcept { return reset_; }

 private:
  std::optional<Instant> reset_;
};
/// 5xx, after the retries: the host cannot do it now. 507: its disk is full.
class HostFailed : public Error {
 public:
  using Error::Error;
};
/// No answer, after the retries. What was asked for may have been done nevertheless: is_unsent() says that it was not.
class Unreachable : public Error {
 public:
  Unreachable(const std::string& message, bool unsent) : Error(message), unsent_(unsent) {}
  bool is_unsent() const noexcept { return unsent_; }

 private:
  bool unsent_;
};
/// An answer that is not what the interface says, or an output that is not of the type that was asked for.
class AnswerInvalid : public Error {
 public:
  using Error::Error;
};
/// A wait's timeout has passed. The run goes on.
class WaitTimedOut : public Error {
 public:
  using Error::Error;
};
/// The stop token of a wait was asked to stop. The run goes on.
class Stopped : public Error {
 public:
  using Error::Error;
};

}  // namespace perdure::client
