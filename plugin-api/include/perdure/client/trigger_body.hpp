// Triggers as the HTTP interface wants them. The SDK's own options have milliseconds and names of the C interface; here
// they become durations in words. Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <perdure/client/errors.hpp>
#include <perdure/client/members.hpp>
#include <perdure/json_write.hpp>
#include <perdure/trigger.hpp>

namespace perdure::client::detail {

/// "90s": the host knows no part of a second in a duration, so what is left counts as a whole one.
inline std::string seconds_of(std::int64_t ms) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(milliseconds(ms)).count()) + "s";
}

/// The options as a trigger over HTTP has them, from those that trigger_json() wrote. Throws Invalid for what only a
/// task can say.
inline json::object http_options(std::string_view written) {
  if (written.empty()) return {};
  const auto of_task = from_json<json::object>(written);
  json::object out;
  for (const auto& [key, value] : of_task) {
    const std::string_view name(key);
    if (name == "delayMs") {
      out["delay"] = seconds_of(value.as_int64());
    } else if (name == "delayUntilMs") {
      out["delay"] = iso8601(Instant(milliseconds(value.as_int64())));
    } else if (name == "debounce") {
      json::object debounce = value.as_object();
      debounce["delay"] = seconds_of(debounce.at("delayMs").as_int64());
      debounce.erase("delayMs");
      if (const json::value* const most = debounce.if_contains("maxDelayMs")) {
        debounce["maxDelay"] = seconds_of(most->as_int64());
        debounce.erase("maxDelayMs");
      }
      out["debounce"] = std::move(debounce);
    } else if (name == "ttlMs") {
      out["ttl"] = seconds_of(value.as_int64());
    } else if (name == "idempotencyKeyTtlMs") {
      out["idempotencyKeyTTL"] = seconds_of(value.as_int64());
    } else if (name == "queue") {
      out["queue"] = json::object{{"name", value}};
      if (const json::value* const limit = of_task.if_contains("queueConcurrencyLimit")) {
        out["queue"].get_object()["concurrencyLimit"] = *limit;
      }
    } else if (name == "maxDurationMs") {
      out["maxDuration"] = static_cast<double>(value.as_int64()) / 1000;
    } else if (name == "idempotencyKeyScope") {
      // From outside every key is global.
    } else if (name == "queueConcurrencyLimit") {
      if (!of_task.contains("queue")) throw Invalid("queue_concurrency_limit is of a queue: name one in `queue`");
    } else if (name == "when") {
      throw Invalid("When::kOnSuccess is for tasks: there is no attempt here whose success could be meant");
    } else {
      out[key] = value;
    }
  }
  return out;
}

/// {"payload":…,"options":…} and, before them, `members` when there are some. The payload travels as text, which
/// nothing in it can break out of.
inline std::string trigger_body(std::string_view members, std::string_view payload, json::object options) {
  options["payloadType"] = "application/json";
  std::string body = "{";
  body += members;
  body += R"("payload":)";
  perdure::detail::append_text(body, payload);
  body += R"(,"options":)" + to_json(options) + "}";
  return body;
}

}  // namespace perdure::client::detail
