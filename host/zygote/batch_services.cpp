// Batches: several triggers in one request, so that the host accepts them whole.
#include "host/zygote/json_text.h"
#include "host/zygote/service_call.h"

namespace perdure::zygote {
namespace {

constexpr std::uint64_t kMostItems = 1000;
constexpr std::size_t kMostPayload = std::size_t{3} << 20;
constexpr std::size_t kMostOptions = std::size_t{512} << 10;
constexpr int kPayloadDepth = 128;

perdure_status bad_item(std::uint64_t index, std::string_view why) {
  return fail(PERDURE_INVALID, "item " + std::to_string(index) + ": " + std::string(why));
}

perdure_status append_item(std::string& json, std::uint64_t index, const perdure_trigger* trigger) {
  if (trigger == nullptr || !PERDURE_HAS(trigger, task_id)) {
    return bad_item(index, "perdure_trigger.struct_size is not set to sizeof(perdure_trigger)");
  }
  const std::string_view payload = PERDURE_HAS(trigger, payload) ? text_of(trigger->payload) : std::string_view();
  const std::string_view options = PERDURE_HAS(trigger, options) ? text_of(trigger->options) : std::string_view();
  if (payload.size() > kMostPayload) return bad_item(index, "a payload has at most 3 MB");
  if (!payload.empty() && !is_json(payload, kPayloadDepth)) return bad_item(index, "its payload is not one JSON value");
  if (options.size() > kMostOptions || (!options.empty() && !is_json_object(options))) {
    return bad_item(index, "the options of a trigger are one JSON object of at most 512 KB, or empty");
  }
  json.append(index == 0 ? "{\"task\":" : ",{\"task\":");
  append_json_string(json, text_of(trigger->task_id));
  if (!payload.empty()) json.append(",\"payload\":").append(payload);
  if (!options.empty()) json.append(",\"options\":").append(options);
  json += '}';
  return PERDURE_OK;
}

// `made` gets what the host says of the batch: {"id","runs":[…]}. `awaited`: this attempt will wait for its runs.
perdure_status trigger_all(Call& call, const perdure_trigger* const* triggers, std::uint64_t count, bool awaited,
                           std::string& made) {
  AttemptState& state = call.state;
  if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
  if (count == 0 || count > kMostItems || triggers == nullptr) {
    return fail(PERDURE_INVALID, "a batch has 1 to 1000 items");
  }
  std::string items = "[";
  for (std::uint64_t i = 0; i < count; ++i) {
    if (const perdure_status status = append_item(items, i, triggers[i]); status != PERDURE_OK) return status;
    if (items.size() > protocol::kMaxBatchRaw) return fail(PERDURE_INVALID, "a batch has at most 32 MB in all");
  }
  items += ']';
  std::string asked = "{\"call\":" + std::to_string(state.next_call(call.caller));
  if (awaited) asked += ",\"awaited\":true";
  asked += '}';
  const perdure_status status = ask(call, protocol::RequestKind::kBatch, asked, items, &made);
  const bool options = PERDURE_HAS(triggers[0], options);  // all have the same `when`
  if (status == PERDURE_OK && options && is_promise(text_of(triggers[0]->options))) {
    state.link.remember_promise(protocol::RequestKind::kBatch, with_answer(asked, made), std::move(items));
  }
  return status;
}

// The runs of what the host said of a batch, each to be waited for.
std::string every_run(std::string_view made) {
  std::string list = "[";
  JsonMembers members(made);
  std::string_view key, value;
  while (members.next(key, value)) {
    if (key != "runs") continue;
    for (std::size_t begin = value.find('"'); begin != std::string_view::npos; begin = value.find('"', begin)) {
      const std::size_t end = value.find('"', begin + 1);
      if (end == std::string_view::npos) break;
      list.append(list.size() > 1 ? ",{\"run\":" : "{\"run\":").append(value.substr(begin, end + 1 - begin)) += '}';
      begin = end + 1;
    }
  }
  return list + ']';
}

std::string id_in(std::string_view made) {
  JsonMembers members(made);
  std::string_view key, value;
  while (members.next(key, value)) {
    if (key == "id") return std::string(json_plain_string(value));
  }
  return {};
}

}  // namespace

perdure_status batch_trigger(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                             std::uint64_t count, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    std::string made;
    const perdure_status status = trigger_all(call, triggers, count, false, made);
    if (status == PERDURE_OK && json != nullptr) *json = call.state.hand_out(std::move(made));
    return status;
  });
}

perdure_status batch_trigger_and_wait(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                                      std::uint64_t count, perdure_str* json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    std::string made;
    const perdure_status triggered = trigger_all(call, triggers, count, true, made);
    if (triggered != PERDURE_OK) return triggered;
    const std::string id = id_in(made);
    const std::string what = "\"mode\":\"all\",\"for\":" + every_run(made);
    const std::string event = R"({"type":"batch","id":")" + id + "\"}";
    std::string answer;
    const perdure_status status = wait_for_reply(call, {id, what, event}, &answer);
    if (status == PERDURE_OK && json != nullptr) *json = call.state.hand_out(std::move(answer));
    return status;
  });
}

}  // namespace perdure::zygote
