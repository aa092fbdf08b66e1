// The functions a task calls. None of them lets an exception out.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "host/zygote/attempt_state.h"
#include "host/zygote/json_text.h"
#include "host/zygote/service_call.h"

namespace perdure::zygote {
namespace {

perdure_status set_result(const perdure_attempt* attempt, perdure_str json) {
  return guarded([&]() -> perdure_status {
    Call& call = call_of(attempt);
    if (!call.on_its_thread()) return fail(PERDURE_INVALID, kOtherThread);
    const std::uint64_t given = call.state.info.output_limit;
    const std::uint64_t limit = given == 0 ? protocol::kMaxRaw : std::min<std::uint64_t>(given, protocol::kMaxRaw);
    call.said.too_large = json.len > limit ? json.len : 0;
    call.said.result = call.said.too_large != 0 ? std::string_view() : text_of(json);
    return PERDURE_OK;
  });
}

perdure_status set_error(const perdure_attempt* attempt, const perdure_error* error) {
  return guarded([&] {
    Call& call = call_of(attempt);
    if (!call.on_its_thread()) return fail(PERDURE_INVALID, kOtherThread);
    if (error == nullptr || !PERDURE_HAS(error, message)) {
      return fail(PERDURE_INVALID, "perdure_error.struct_size is not set to sizeof(perdure_error)");
    }
    const std::string_view details = PERDURE_HAS(error, detail) ? text_of(error->detail) : std::string_view();
    const std::string_view stack = PERDURE_HAS(error, stack) ? text_of(error->stack) : std::string_view();
    call.said.error = error_json(text_of(error->type), text_of(error->message), stack, details);
    call.said.retry_at = PERDURE_HAS(error, retry_at_ms) ? error->retry_at_ms : 0;
    return perdure_status{PERDURE_OK};
  });
}

perdure_str last_error_of(const perdure_attempt*) {
  const std::string_view words = last_error_words();
  return {words.data(), words.size()};
}

perdure_status release(const perdure_attempt* attempt, perdure_str handed_out) {
  return guarded([&] {
    state_of(attempt).take_back(handed_out.data);
    return perdure_status{PERDURE_OK};
  });
}

perdure_status log(const perdure_attempt* attempt, perdure_level level, perdure_str message, perdure_str fields) {
  return guarded([&] {
    const std::string_view json = text_of(fields);
    if (!json.empty() && !is_json_object(json)) return fail(PERDURE_INVALID, "log fields must be one JSON object");
    state_of(attempt).log(std::clamp<perdure_level>(level, PERDURE_TRACE, PERDURE_ERROR), text_of(message), json);
    return perdure_status{PERDURE_OK};
  });
}

perdure_status is_cancelled(const perdure_attempt* attempt) {
  return guarded([&] {
    AttemptLink& link = state_of(attempt).link;
    if (link.cancelled() != 0) return PERDURE_CANCELLED;
    return link.host_gone() ? PERDURE_DISCONNECTED : PERDURE_OK;
  });
}

perdure_status heartbeat(const perdure_attempt* attempt) {
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kHeartbeat;
  (void)state_of(attempt).link.send(frame);
  return is_cancelled(attempt);
}

perdure_status cancel_fd(const perdure_attempt* attempt, std::int32_t* fd) {
  return guarded([&] {
    const int descriptor = state_of(attempt).link.cancel_descriptor();
    if (descriptor < 0) return fail(PERDURE_INVALID, std::string("no descriptor could be made: ") + strerror(errno));
    *fd = descriptor;
    return perdure_status{PERDURE_OK};
  });
}

perdure_status config(const perdure_attempt* attempt, perdure_str* json) {
  const Call& call = call_of(attempt);
  const std::string_view text = call.guest != nullptr ? call.guest->config : call.state.info.config;
  *json = text.empty() ? PERDURE_STR("{}") : perdure_str{text.data(), text.size()};
  return PERDURE_OK;
}

std::uint64_t milliseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000 + static_cast<std::uint64_t>(time.tv_usec) / 1000;
}

// Resident pages of this process, in bytes.
std::uint64_t resident_memory() {
  char text[128] = {};
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  const char* second = n > 0 ? strchr(text, ' ') : nullptr;
  return second == nullptr ? 0 : strtoull(second, nullptr, 10) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

perdure_status usage(const perdure_attempt* attempt, perdure_str* json) {
  return guarded([&] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    AttemptState& state = state_of(attempt);
    const std::uint64_t limit = state.info.memory_limit;
    *json = state.hand_out("{\"durationMs\":" + std::to_string(state.elapsed_ms()) +
                           ",\"cpuMs\":" + std::to_string(milliseconds(used.ru_utime) + milliseconds(used.ru_stime)) +
                           ",\"memoryBytes\":" + std::to_string(resident_memory()) +
                           ",\"peakMemoryBytes\":" + std::to_string(static_cast<std::uint64_t>(used.ru_maxrss) * 1024) +
                           ",\"memoryLimitBytes\":" + (limit == 0 ? "null" : std::to_string(limit)) + "}");
    return perdure_status{PERDURE_OK};
  });
}

perdure_status local(const perdure_attempt* attempt, void*** place) {
  Call& call = call_of(attempt);
  *place = call.guest != nullptr ? &call.guest->local : &call.state.local;
  return PERDURE_OK;
}

perdure_status await_result(const perdure_attempt* attempt, std::int64_t timeout_ms, perdure_str* json) {
  return guarded([&] { return state_of(attempt).await_outcome(std::chrono::milliseconds(timeout_ms), *json); });
}

perdure_services make_services() {
  perdure_services table{};
  table.struct_size = sizeof table;
  table.set_result = set_result;
  table.set_error = set_error;
  table.last_error = last_error_of;
  table.release = release;
  table.log = log;
  table.set_metadata = set_metadata;
  table.add_tags = add_tags;
  table.stream_append = stream_append;
  table.heartbeat = heartbeat;
  table.is_cancelled = is_cancelled;
  table.cancel_fd = cancel_fd;
  table.config = config;
  table.usage = usage;
  table.memo_get = memo_get;
  table.memo_put = memo_put;
  table.trigger = trigger;
  table.trigger_and_wait = trigger_and_wait;
  table.batch_trigger = batch_trigger;
  table.batch_trigger_and_wait = batch_trigger_and_wait;
  table.wait_for = wait_for;
  table.wait_until = wait_until;
  table.token_create = token_create;
  table.token_wait = token_wait;
  table.token_complete = token_complete;
  table.local = local;
  table.await_result = await_result;
  table.wait_many = wait_many;
  return table;
}

}  // namespace

const perdure_services& services() {
  static const perdure_services table = make_services();
  return table;
}

namespace {
// Plain memory, so that a thread which never fails never touches it.
struct LastError {
  char text[512];
  std::size_t size;
};
thread_local LastError last_error{};
}  // namespace

perdure_status fail(perdure_status status, std::string_view words) noexcept {
  last_error.size = std::min(words.size(), sizeof last_error.text);
  memcpy(last_error.text, words.data(), last_error.size);
  return status;
}

std::string_view last_error_words() { return {last_error.text, last_error.size}; }

}  // namespace perdure::zygote
