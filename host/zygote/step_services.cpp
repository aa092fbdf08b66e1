// Steps: what a run has done once and need not do again. A step costs one message to the host, which records its
// result; only an attempt that may have had a predecessor asks first whether there is one.
#include <chrono>

#include "host/zygote/json_text.h"
#include "host/zygote/service_call.h"

namespace perdure::zygote {
namespace {

using protocol::RequestKind;

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kMostResult = std::size_t{3} << 20;
constexpr int kResultDepth = 128;

std::string call_json(std::uint64_t call, std::string_view name) {
  std::string json = "{\"call\":" + std::to_string(call) + ",\"name\":";
  append_json_string(json, name);
  return json;
}

}  // namespace

perdure_status memo_get(const perdure_attempt* attempt, perdure_str key, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    AttemptState& state = call.state;
    if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
    if (state.info.run.empty()) return fail(PERDURE_INVALID, "a self test has no run; steps are for attempts");
    const std::string_view name = text_of(key);
    if (name.empty() || name.size() > kLongestName) return fail(PERDURE_INVALID, "a step's name has 1 to 256 bytes");
    const std::uint64_t number = state.next_call(call.caller);
    if (state.may_repeat()) {
      std::string result;
      const perdure_status status = ask(call, RequestKind::kRecall, call_json(number, name) + '}', {}, &result);
      if (status == PERDURE_OK) *json = state.hand_out(std::move(result));
      if (status != PERDURE_NOT_FOUND) return status;
    }
    state.step = {std::string(name), number, std::chrono::steady_clock::now()};
    return fail(PERDURE_NOT_FOUND, "no result of this step is recorded yet; do it, then call memo_put");
  });
}

perdure_status memo_put(const perdure_attempt* attempt, perdure_str key, perdure_str json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    AttemptState& state = call.state;
    if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
    if (!state.step || state.step->name != text_of(key)) {
      return fail(PERDURE_INVALID,
                  "memo_put is for the step that memo_get has not found, with no other durable call in between");
    }
    const std::string_view result = text_of(json);
    if (result.size() > kMostResult) return fail(PERDURE_INVALID, "the result of a step has at most 3 MB");
    if (!is_json(result, kResultDepth)) return fail(PERDURE_INVALID, "the result of a step is one JSON value");
    const auto took = std::chrono::steady_clock::now() - state.step->began;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    const std::string asked =
        call_json(state.step->call, state.step->name) + ",\"durationUs\":" + std::to_string(us) + '}';
    const perdure_status status = ask(call, RequestKind::kRecord, asked, result);
    if (status == PERDURE_OK) state.step.reset();
    return status;
  });
}

}  // namespace perdure::zygote
