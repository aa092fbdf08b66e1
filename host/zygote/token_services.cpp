// Waitpoint tokens as attempts make and complete them. Both are durable calls: the host records each with what it did,
// so a later attempt that makes the same calls gets the same token.
#include "host/zygote/json_text.h"
#include "host/zygote/service_call.h"

namespace perdure::zygote {
namespace {

using protocol::RequestKind;

constexpr std::size_t kMostOptions = std::size_t{64} << 10;
constexpr std::size_t kMostValue = std::size_t{3} << 20;
constexpr std::size_t kLongestId = 128;
constexpr int kValueDepth = 128;

}  // namespace

perdure_status token_create(const perdure_attempt* attempt, perdure_str options, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    AttemptState& state = call.state;
    if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
    const std::string_view given = text_of(options);
    if (given.size() > kMostOptions || (!given.empty() && !is_json_object(given))) {
      return fail(PERDURE_INVALID, "the options of a token are one JSON object of at most 64 KB, or empty");
    }
    std::string asked = "{\"call\":" + std::to_string(state.next_call(call.caller));
    if (!given.empty()) asked.append(",\"options\":").append(given);
    asked += '}';
    std::string token;
    const perdure_status status = ask(call, RequestKind::kTokenCreate, asked, {}, &token);
    if (status == PERDURE_OK && json != nullptr) *json = state.hand_out(std::move(token));
    return status;
  });
}

perdure_status token_complete(const perdure_attempt* attempt, perdure_str token_id, perdure_str json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    AttemptState& state = call.state;
    if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
    const std::string_view value = text_of(json);
    if (value.size() > kMostValue) return fail(PERDURE_INVALID, "the value of a token has at most 3 MB");
    if (!is_json(value, kValueDepth)) return fail(PERDURE_INVALID, "a token is completed with one JSON value");
    const std::string_view id = text_of(token_id);
    if (id.empty() || id.size() > kLongestId) return fail(PERDURE_NOT_FOUND, "there is no token with this id");
    std::string asked = "{\"call\":" + std::to_string(state.next_call(call.caller)) + ",\"token\":";
    append_json_string(asked, id);
    asked += '}';
    return ask(call, RequestKind::kTokenComplete, asked, value);
  });
}

}  // namespace perdure::zygote
