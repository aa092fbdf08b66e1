// What the verbs speak through: requests to one host, with the key, made again where that helps, and answers as JSON.
// Any thread; calls side by side have connections of their own.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/client/connections.hpp>
#include <perdure/client/errors.hpp>
#include <perdure/client/options.hpp>
#include <perdure/client/pacing.hpp>
#include <perdure/client/refusal.hpp>
#include <perdure/json_read.hpp>

namespace perdure::client::detail {

using Steady = std::chrono::steady_clock;

struct Call {
  std::string doing;  // how messages begin: "triggering hello"
  std::string method = "GET";
  std::string path{};
  std::optional<std::string> body{};
  std::string content_type = "application/json";
  Repeat repeat = Repeat::kAnyTime;
  milliseconds held{};    // that the host may take on purpose
  bool patient = false;   // goes on through an outage, and not for a number of tries
  bool conflict = false;  // a 409 is an answer
  std::stop_token stop{};
  std::optional<Steady::time_point> deadline{};
};

/// `text` as one segment of a path, or one value of a query.
inline std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

/// Names one logical call, the same for each of its tries.
inline std::string random_name() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 16; ++i) name += "0123456789abcdef"[random() % 16];
  for (int i = 0; i < 16; ++i) name += "0123456789abcdef"[random() % 16];
  return name;
}

class Channel {
 public:
  explicit Channel(Options options) : options_(std::move(options)), connections_(options_) {
    while (options_.url.ends_with('/')) options_.url.pop_back();
  }

  const Options& options() const noexcept { return options_; }

  /// What `read` gives; AnswerInvalid for the JsonError that it throws.
  template <class Read>
  static auto understood(const std::string& doing, int status, Read&& read) {
    try {
      return read();
    } catch (const JsonError& e) {
      throw AnswerInvalid(doing + ": the answer is not what the interface says: " + e.what() +
                              "; is a Perdure host at this address, and not much older than this client?",
                          status);
    }
  }

  /// The answer, which is a 2xx one. Throws what errors.hpp has.
  HttpResponse ask(const Call& call) const {
    const perdure::retry::HttpRequest request = request_of(call);
    std::optional<Steady::time_point> first_failure;
    for (int failures = 1;; ++failures) {
      expect_time_left(call);
      HttpResponse response;
      const std::optional<NoResponse> failed = connections_.exchange(request, timeout_of(call), call.stop, response);
      expect_time_left(call, !failed);
      if (!failed && (response.ok() || (call.conflict && response.status == 409))) return response;
      if (!first_failure) first_failure = Steady::now();
      const bool again = failed ? is_retried(*failed, call.repeat) : is_retried(response, call.repeat);
      const std::optional<Instant> reset = failed ? std::nullopt : reset_of(response, wall_now());
      std::optional<milliseconds> pause =
          pause_after(options_, failures, reset, wall_now(), perdure::retry::detail::random_share());
      if (call.patient) {
        pause = patient_pause(failures);
        if (reset) pause = std::max(*pause, std::min(*reset - wall_now(), options_.longest_reset));
        if (Steady::now() - *first_failure > options_.outage) pause.reset();
      }
      if (!again || !pause) {
        if (failed) throw_unreachable(call.doing, *failed, options_);
        throw_refusal(call.doing, response, options_);
      }
      sleep(call, *pause);
    }
  }

  /// The answer's body, which is a JSON object.
  json::object ask_object(const Call& call) const { return object_of(call.doing, ask(call)); }

  /// Of an answer that ask() gave.
  static json::object object_of(const std::string& doing, const HttpResponse& response) {
    return understood(doing, response.status, [&] { return from_json<json::object>(response.body); });
  }

  /// Pauses; Stopped or WaitTimedOut thrown when that comes first.
  void sleep(const Call& call, milliseconds duration) const {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    auto until = Steady::now() + duration;
    if (call.deadline) until = std::min(until, *call.deadline);
    woken.wait_until(lock, call.stop, until, [] { return false; });
    lock.unlock();
    expect_time_left(call);
  }

 private:
  static void expect_time_left(const Call& call, bool has_answer = false) {
    if (has_answer) return;
    if (call.stop.stop_requested()) throw Stopped(call.doing + ": it was stopped");
    if (call.deadline && Steady::now() >= *call.deadline) throw WaitTimedOut(call.doing + ": the time for it is over");
  }

  milliseconds timeout_of(const Call& call) const {
    const milliseconds usual = options_.answer_timeout + call.held;
    if (!call.deadline) return usual;
    return std::min(usual, std::chrono::ceil<milliseconds>(*call.deadline - Steady::now()));
  }

  perdure::retry::HttpRequest request_of(const Call& call) const {
    perdure::retry::HttpRequest request{
        .url = options_.url + call.path, .method = call.method, .headers = {}, .body = call.body};
    auto& headers = request.headers;
    headers = {{"content-type", call.content_type}, {"x-trigger-api-version", "2025-07-16"}};
    if (!options_.key.empty()) headers.emplace_back("authorization", "Bearer " + options_.key);
    if (call.method != "GET") headers.emplace_back("x-trigger-request-idempotency-key", random_name());
    return request;
  }

  Options options_;
  mutable Connections connections_;  // has its own lock
};

}  // namespace perdure::client::detail
