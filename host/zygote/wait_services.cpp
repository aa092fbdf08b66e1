// The services that wait: for a time, for a run, for several things. The process stays, blocked in its link; the host
// says when it goes on, or that it is to leave (PERDURE_SUSPENDED). Around a wait that is not over at once stand
// on_wait and on_resume.
#include <string>

#include "host/zygote/json_text.h"
#include "host/zygote/service_call.h"

namespace perdure::zygote {
namespace {

using protocol::ReplyStatus;
using protocol::RequestKind;

// Of the error {"code","message"} of a token that timed out.
std::string_view message_of(std::string_view error) {
  JsonMembers members(error);
  std::string_view key, value;
  while (members.next(key, value)) {
    if (key == "message") return json_plain_string(value);
  }
  return "the token was not completed in time";
}

perdure_status answer_of(Call& call, const protocol::Incoming& reply, std::string* answer) {
  switch (static_cast<ReplyStatus>(reply.arg)) {
    case ReplyStatus::kOk:
    case ReplyStatus::kTimedOut:
    case ReplyStatus::kChildFailed:
      if (answer != nullptr) *answer = reply.raw;
      return static_cast<perdure_status>(reply.arg);
    case ReplyStatus::kSuspended:
      call.state.suspended = true;
      return PERDURE_SUSPENDED;
    default:
      return refused(call, reply);
  }
}

}  // namespace

perdure_status wait_for_reply(Call& call, const Awaited& awaited, std::string* answer) {
  AttemptState& state = call.state;
  if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
  if (state.info.run.empty()) return fail(PERDURE_INVALID, "a self test has no run; waits are for attempts");
  if (state.suspended) return PERDURE_SUSPENDED;
  if (state.link.cancelled() != 0) return PERDURE_CANCELLED;
  const bool hooked = state.around_wait != nullptr;
  const std::uint64_t number = state.next_call(call.caller);
  std::string json = "{\"call\":" + std::to_string(number) + ",\"name\":";
  append_json_string(json, awaited.name);
  json.append(",").append(awaited.what);
  if (hooked) json += ",\"tell\":true";
  json += '}';
  const std::string event = "{\"wait\":" + std::string(awaited.event) + "}";
  protocol::Incoming reply;
  AttemptLink::Question question;
  AttemptLink::Waited waited = state.link.ask_long(question, RequestKind::kWait, json, reply);
  bool resumes = state.info.resumed != 0 && number == state.info.resumed;  // a process before this one has waited
  // Another host may say once more that it has begun.
  while (waited == AttemptLink::Waited::kAnswered && reply.arg == static_cast<std::uint32_t>(ReplyStatus::kBegun)) {
    if (!resumes) state.around_wait->before(event);
    waited = state.link.wait_on(question, reply);
    resumes = true;
  }
  if (waited == AttemptLink::Waited::kCancelled) return PERDURE_CANCELLED;
  if (waited == AttemptLink::Waited::kGone) {
    return fail(PERDURE_DISCONNECTED, "the host is gone, or the attempt is over");
  }
  const perdure_status status = answer_of(call, reply, answer);
  if (hooked && resumes && status != PERDURE_SUSPENDED) state.around_wait->after(event);
  return status;
}

perdure_status wait_for(const perdure_attempt* attempt, std::int64_t duration_ms) {
  return guarded([&]() -> perdure_status {
    const std::int64_t ms = duration_ms > 0 ? duration_ms : 0;
    const std::string what = "\"single\":true,\"for\":[{\"ms\":" + std::to_string(ms) + "}]";
    return wait_for_reply(call_of(attempt), {"for", what, R"({"type":"duration","id":")" + std::to_string(ms) + "\"}"},
                          nullptr);
  });
}

perdure_status wait_until(const perdure_attempt* attempt, std::int64_t unix_ms) {
  return guarded([&]() -> perdure_status {
    const std::int64_t ms = unix_ms > 0 ? unix_ms : 0;
    const std::string what = "\"single\":true,\"for\":[{\"until\":" + std::to_string(ms) + "}]";
    return wait_for_reply(call_of(attempt), {"until", what, R"({"type":"time","id":")" + std::to_string(ms) + "\"}"},
                          nullptr);
  });
}

perdure_status trigger_and_wait(const perdure_attempt* attempt, const perdure_trigger* asked, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    std::string id, answer;
    const perdure_status triggered = trigger_run(call, asked, true, &id);
    if (triggered != PERDURE_OK) return triggered;
    const std::string what = "\"single\":true,\"for\":[{\"run\":\"" + id + "\"}]";
    const std::string event = R"({"type":"run","id":")" + id + "\"}";
    const perdure_status status = wait_for_reply(call, {id, what, event}, &answer);
    if ((status == PERDURE_OK || status == PERDURE_CHILD_FAILED) && json != nullptr) {
      *json = call.state.hand_out(std::move(answer));
    }
    return status;
  });
}

perdure_status token_wait(const perdure_attempt* attempt, perdure_str token_id, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    const std::string id(text_of(token_id));
    std::string what = "\"single\":true,\"for\":[{\"token\":", event = R"({"type":"token","id":)", answer;
    append_json_string(what, id);
    append_json_string(event, id);
    const perdure_status status = wait_for_reply(call, {id, what + "}]", event + "}"}, &answer);
    if (status == PERDURE_TIMED_OUT) return fail(status, message_of(answer));
    if (status == PERDURE_OK && json != nullptr) *json = call.state.hand_out(std::move(answer));
    return status;
  });
}

perdure_status wait_many(const perdure_attempt* attempt, perdure_str what, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    const std::string_view asked = text_of(what);
    std::string_view mode = "\"all\"", list, key, value;
    if (!is_json_object(asked)) return fail(PERDURE_INVALID, "what is waited for is one JSON object");
    JsonMembers members(asked);
    while (members.next(key, value)) {
      if (key == "mode") mode = value;
      if (key == "for") list = value;
    }
    std::string wait = "\"mode\":";
    wait.append(mode).append(",\"for\":").append(list.empty() ? "[]" : list);
    std::string answer;
    const perdure_status status = wait_for_reply(call, {json_plain_string(mode), wait, R"({"type":"many"})"}, &answer);
    if (status == PERDURE_OK && json != nullptr) *json = call.state.hand_out(std::move(answer));
    return status;
  });
}

}  // namespace perdure::zygote
