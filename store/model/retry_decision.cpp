#include "store/model/retry_decision.h"

#include <boost/json/parse.hpp>
#include <charconv>
#include <iterator>

#include "store/model/duration.h"
#include "store/model/json_text.h"
#include "store/model/option_section.h"
#include "store/model/task_options.h"

namespace perdure::store {
namespace {

namespace json = boost::json;

constexpr JsonLimits kDecisionLimits{std::size_t{1} << 16, 32};
const std::string kSubject = "the decision of catch_error";

Status read(const json::object& document, const RetryPolicy& policy, Time now, RetryDecision& decision) {
  OptionsReading reading{kSubject, false, {}};
  OptionSection in(reading, document, {});
  if (const json::value* retry = in.find("retry")) {
    if (const bool* allowed = retry->if_bool()) {
      decision.forbidden = !*allowed;
    } else if (const json::object* other = retry->if_object()) {
      decision.policy = policy;
      if (Status good = read_retry_policy(*other, kSubject, *decision.policy); !good) return good;
    } else {
      in.refuse("retry", "true, false or an object of retry options");
    }
  }
  const std::optional<std::int64_t> at = in.integer("retryAtMs", 0, INT64_MAX);
  const std::optional<std::int64_t> after = in.integer("retryAfterMs", 0, kLongestDuration.count());
  if (at && after) in.refuse("retryAfterMs", "left out beside retryAtMs");
  if (at) decision.at = Time(Duration(*at));
  decision.calendar = at.has_value();
  if (after) decision.at = now + Duration(*after);
  in.close();
  return reading.status;
}

std::string_view boolean(bool value) { return value ? "true" : "false"; }

void add_class(std::string& out, std::string_view name, bool retried, std::optional<std::uint32_t> attempts) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
  if (retried && attempts) {
    out += "{\"maxAttempts\":" + std::to_string(*attempts) + "}";
  } else {
    out += boolean(retried);
  }
}

}  // namespace

Result<RetryDecision> parse_retry_decision(std::string_view json_text, const RetryPolicy& policy, Time now) {
  RetryDecision decision;
  if (json_text.empty()) return decision;
  if (Status acceptable = check_json(json_text, kDecisionLimits, kSubject); !acceptable) return acceptable;
  try {
    json::error_code error;
    const json::value document = json::parse(json::string_view(json_text.data(), json_text.size()), error);
    if (error || !document.is_object()) {
      return Status::invalid(kSubject + " must be a JSON object such as {\"retryAfterMs\": 5000}");
    }
    if (Status good = read(document.get_object(), policy, now, decision); !good) return good;
  } catch (const std::exception& thrown) {
    return Status::invalid(kSubject + " cannot be read: " + thrown.what());
  }
  return decision;
}

std::string retry_policy_json(const RetryPolicy& policy, std::uint32_t max_attempts) {
  std::string out = "{\"maxAttempts\":" + std::to_string(max_attempts);
  char factor[32];
  out += ",\"factor\":";
  out.append(factor, std::to_chars(std::begin(factor), std::end(factor), policy.factor).ptr);
  out += ",\"minTimeoutMs\":" + std::to_string(policy.min_timeout.count());
  out += ",\"maxTimeoutMs\":" + std::to_string(policy.max_timeout.count());
  out += ",\"randomize\":";
  out += boolean(policy.randomize);
  std::string on = "{";
  add_class(on, "error", policy.on_error, policy.error_attempts);
  add_class(on, "crash", policy.on_crash, policy.crash_attempts);
  add_class(on, "outOfMemory", policy.on_out_of_memory, policy.out_of_memory_attempts);
  add_class(on, "stalled", policy.on_stalled, policy.stalled_attempts);
  add_class(on, "timeout", policy.on_timeout, policy.timeout_attempts);
  return out + ",\"on\":" + on + "}}";
}

}  // namespace perdure::store
