#include "host/process/outcome.h"

#include "host/process/json_slices.h"
#include "host/process/utf8_text.h"
#include "host/protocol/message.h"
#include "store/model/json_text.h"

namespace perdure::process {
namespace {

using protocol::Outcome;
using store::Failure;
using store::FailureKind;

constexpr store::JsonLimits kErrorLimits{protocol::kMaxJson, 128};

// What is kept of an error that a task made too large to read.
constexpr std::size_t kMaxName = 1024;
constexpr std::size_t kMaxMessage = std::size_t{64} << 10;
constexpr std::size_t kMaxStack = std::size_t{256} << 10;
constexpr std::size_t kMaxDetails = std::size_t{256} << 10;

std::string shortened(std::string text, std::size_t limit) {
  if (text.size() > limit) text.replace(whole_characters(text, limit), std::string::npos, "…");
  return text;
}

AttemptResult too_large(std::uint64_t size, std::uint64_t limit) {
  Failure failure;
  failure.kind = FailureKind::kOutputTooLarge;
  failure.name = "OutputTooLarge";
  failure.message = "The task's output has " + std::to_string(size) + " bytes and at most " + std::to_string(limit) +
                    " are kept; store it elsewhere and return where";
  failure.details = "{\"size\":" + std::to_string(size) + ",\"limit\":" + std::to_string(limit) + '}';
  AttemptResult result;
  result.failure = std::move(failure);
  return result;
}

AttemptResult success(std::string_view raw, std::uint64_t limit) {
  if (raw.size() > limit) return too_large(raw.size(), limit);
  AttemptResult result;
  const store::JsonLimits limits{static_cast<std::size_t>(limit), store::kOutputLimits.depth};
  if (const store::Status status = store::check_json(raw, limits, "the task's output"); !status) {
    Failure failure;
    failure.kind = FailureKind::kOutputInvalid;
    failure.name = "OutputInvalid";
    failure.message = status.message();
    result.failure = std::move(failure);
  } else {
    result.output = raw;
  }
  return result;
}

FailureKind kind_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAborted:
      return FailureKind::kAborted;
    case Outcome::kOutOfMemory:
      return FailureKind::kOutOfMemory;
    default:
      return FailureKind::kTaskError;
  }
}

}  // namespace

Failure read_error(std::string_view json) {
  Failure failure;
  for_each_member(json, [&failure](std::string_view key, std::string_view value) {
    if (key == "name") failure.name = shortened(string_of(value).value_or(""), kMaxName);
    if (key == "message") failure.message = shortened(string_of(value).value_or(""), kMaxMessage);
    if (key == "stack") failure.stack = shortened(string_of(value).value_or(""), kMaxStack);
    if (key == "details" && is_object(value) && value.size() <= kMaxDetails) failure.details = value;
  });
  if (failure.message.empty()) failure.message = "The task failed and gave no message";
  return failure;
}

std::variant<AttemptResult, OutcomeFault> read_outcome(std::uint32_t arg, std::string_view json, std::string_view raw,
                                                       std::uint64_t output_limit) {
  if (arg > static_cast<std::uint32_t>(Outcome::kCanceled)) {
    return OutcomeFault{"an outcome of the unknown kind " + std::to_string(arg)};
  }
  const auto outcome = static_cast<Outcome>(arg);
  if (outcome == Outcome::kSuccess && json.empty()) return success(raw, output_limit);

  if (const store::Status status = store::check_json(json, kErrorLimits, "the error of an outcome"); !status) {
    return OutcomeFault{status.message()};
  }
  if (!is_object(json)) return OutcomeFault{"the error of an outcome is no JSON object"};
  Failure failure = read_error(json);
  failure.kind = kind_of(outcome);
  AttemptResult result;
  std::uint64_t refused_size = 0;
  for_each_member(json, [&](std::string_view key, std::string_view value) {
    if (key == "too_large") refused_size = static_cast<std::uint64_t>(integer_of(value).value_or(0));
    if (const auto at = integer_of(value); key == "retry_at" && at && *at > 0) {
      result.retry_at = store::Time(std::chrono::milliseconds(*at));
    }
  });
  if (outcome == Outcome::kSuccess) {
    if (refused_size == 0) return OutcomeFault{"a success with an error beside it"};
    return too_large(refused_size, output_limit);
  }
  if (outcome == Outcome::kCanceled) {
    failure.message = "The task ended itself as canceled though nobody had canceled it: " + failure.message;
  }
  result.failure = std::move(failure);
  return result;
}

}  // namespace perdure::process
