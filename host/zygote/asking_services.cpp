// The services that the host answers while the attempt waits: metadata, tags, streams, triggers. What can be judged
// here is; the rest the host says. One call is one request, so a task that calls without end waits for the host without
// end, and the host never holds more of it than a few requests.
#include <algorithm>
#include <semaphore>

#include "host/zygote/json_text.h"
#include "host/zygote/service_call.h"

namespace perdure::zygote {
namespace {

using protocol::ReplyStatus;
using protocol::RequestKind;

constexpr std::size_t kMostValue = std::size_t{256} << 10;  // of metadata
constexpr std::size_t kMostChunk = std::size_t{1} << 20;    // of a stream
constexpr std::size_t kMostPayload = std::size_t{3} << 20;  // of a triggered run
constexpr std::size_t kMostOptions = std::size_t{512} << 10;
constexpr std::uint64_t kMostTags = 10;

// Requests that threads of one process have open at once: fewer than the host allows.
std::counting_semaphore<>& turns() {
  static std::counting_semaphore<> places(protocol::kMaxOpenRequests / 2);
  return places;
}

}  // namespace

perdure_status ask(Call& call, RequestKind kind, std::string_view json, std::string_view raw, std::string* answer) {
  AttemptState& state = call.state;
  if (state.info.run.empty()) return fail(PERDURE_INVALID, "a self test has no run; this service is for attempts");
  protocol::Incoming reply;
  turns().acquire();
  const bool answered = state.link.ask(kind, json, raw, reply);
  turns().release();
  if (!answered) return fail(PERDURE_DISCONNECTED, "the host is gone, or the attempt is over");
  if (reply.arg == static_cast<std::uint32_t>(ReplyStatus::kOk)) {
    if (answer != nullptr) *answer = reply.raw;
    return PERDURE_OK;
  }
  return refused(call, reply);
}

perdure_status refused(Call& call, const protocol::Incoming& reply) {
  if (reply.arg == static_cast<std::uint32_t>(ReplyStatus::kMismatch)) {
    call.said.mismatch = reply.json;
    return fail(PERDURE_FAILED, reply.raw);
  }
  return fail(static_cast<perdure_status>(reply.arg), reply.json);
}

namespace {

std::string_view target_name(perdure_metadata_target target) {
  switch (target) {
    case PERDURE_META_SELF:
      return "self";
    case PERDURE_META_PARENT:
      return "parent";
    case PERDURE_META_ROOT:
      return "root";
    default:
      return {};
  }
}

std::string_view change_name(perdure_metadata_op op) {
  switch (op) {
    case PERDURE_META_SET:
      return "set";
    case PERDURE_META_DELETE:
      return "delete";
    case PERDURE_META_INCREMENT:
      return "increment";
    case PERDURE_META_APPEND:
      return "append";
    case PERDURE_META_REMOVE:
      return "remove";
    default:
      return {};
  }
}

}  // namespace

perdure_status set_metadata(const perdure_attempt* attempt, perdure_metadata_target target, perdure_metadata_op op,
                            perdure_str key, perdure_str value) {
  return guarded([&] {
    if (target_name(target).empty()) return fail(PERDURE_INVALID, "the metadata target is SELF, PARENT or ROOT");
    if (change_name(op).empty()) return fail(PERDURE_INVALID, "the metadata operation is unknown to this host");
    if (key.len > kMostValue || value.len > kMostValue) {
      return fail(PERDURE_INVALID, "metadata has at most 256 KB, the key and value of an entry included");
    }
    std::string json = "{\"type\":\"";
    json.append(change_name(op)).append("\",\"target\":\"").append(target_name(target)).append("\",\"key\":");
    append_json_string(json, text_of(key));
    json += '}';
    return ask(call_of(attempt), RequestKind::kMetadata, json, op == PERDURE_META_DELETE ? "" : text_of(value));
  });
}

perdure_status add_tags(const perdure_attempt* attempt, const perdure_str* tags, std::uint64_t count) {
  return guarded([&] {
    std::string json = "{\"tags\":[";
    for (std::uint64_t i = 0; i < count; ++i) {
      if (tags[i].len > 4 * 128 || i > 100 * kMostTags) {
        return fail(PERDURE_INVALID, "a run has at most 10 tags of 1 to 128 bytes");
      }
      if (i > 0) json += ',';
      append_json_string(json, text_of(tags[i]));
    }
    json += "]}";
    return ask(call_of(attempt), RequestKind::kTags, json, {});
  });
}

perdure_status stream_append(const perdure_attempt* attempt, perdure_str stream, perdure_str chunk) {
  return guarded([&] {
    if (stream.len == 0 || stream.len > 128) return fail(PERDURE_INVALID, "a stream's name has 1 to 128 bytes");
    if (chunk.len > kMostChunk)
      return fail(PERDURE_INVALID, "a chunk of a stream has at most 1 MB; append it in pieces");
    std::string json = "{\"stream\":";
    append_json_string(json, text_of(stream));
    json += '}';
    return ask(call_of(attempt), RequestKind::kStream, json, text_of(chunk));
  });
}

bool is_promise(std::string_view options) {
  JsonMembers members(options);
  std::string_view key, value, when;
  while (members.next(key, value)) {
    if (key == "when") when = value;
  }
  return when == "\"on_success\"";
}

std::string with_answer(std::string_view json, std::string_view told) {
  std::string with = "{\"told\":";
  return with.append(told).append(",").append(json.substr(1));
}

perdure_status trigger_run(Call& call, const perdure_trigger* trigger, bool awaited, std::string* run_id) {
  AttemptState& state = call.state;
  if (!state.on_attempt_thread()) return fail(PERDURE_INVALID, kOtherThread);
  if (trigger == nullptr || !PERDURE_HAS(trigger, task_id)) {
    return fail(PERDURE_INVALID, "perdure_trigger.struct_size is not set to sizeof(perdure_trigger)");
  }
  const std::string_view payload = PERDURE_HAS(trigger, payload) ? text_of(trigger->payload) : std::string_view();
  const std::string_view options = PERDURE_HAS(trigger, options) ? text_of(trigger->options) : std::string_view();
  if (payload.size() > kMostPayload) return fail(PERDURE_INVALID, "a payload has at most 3 MB");
  if (options.size() > kMostOptions || (!options.empty() && !is_json_object(options))) {
    return fail(PERDURE_INVALID, "the options of a trigger are one JSON object of at most 512 KB, or empty");
  }
  std::string json = "{\"call\":" + std::to_string(state.next_call(call.caller)) + ",\"task\":";
  append_json_string(json, text_of(trigger->task_id));
  if (awaited) json += ",\"awaited\":true";
  if (!options.empty()) json.append(",\"options\":").append(options);
  json += '}';
  const perdure_status status = ask(call, RequestKind::kTrigger, json, payload, run_id);
  if (status == PERDURE_OK && run_id != nullptr && is_promise(options)) {
    state.link.remember_promise(RequestKind::kTrigger, with_answer(json, '"' + *run_id + '"'), std::string(payload));
  }
  return status;
}

perdure_status trigger(const perdure_attempt* attempt, const perdure_trigger* trigger, perdure_str* run_id) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    std::string id;
    const perdure_status status = trigger_run(call, trigger, false, &id);
    if (status == PERDURE_OK && run_id != nullptr) *run_id = call.state.hand_out(std::move(id));
    return status;
  });
}

}  // namespace perdure::zygote
