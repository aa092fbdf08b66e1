// The services of an attempt under test: every one that plugin.h declares is answered in memory, also those that no
// host offers yet, with the same checks, so that code against plugin.h is tested as it will run. Threads: as plugin.h
// says.
#pragma once

#include <perdure/plugin.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <perdure/testing/durable_services.hpp>
#include <perdure/testing/metadata.hpp>
#include <perdure/testing/session.hpp>

namespace perdure::testing::detail {

inline perdure_status set_result(const perdure_attempt* attempt, perdure_str json) {
  Session& session = session_of(attempt);
  if (!session.on_attempt_thread()) return fail(PERDURE_INVALID, "set_result is for the attempt's thread");
  session.said->result = view(json);
  return PERDURE_OK;
}

inline perdure_status set_error(const perdure_attempt* attempt, const perdure_error* error) {
  Session& session = session_of(attempt);
  if (!session.on_attempt_thread()) return fail(PERDURE_INVALID, "set_error is for the attempt's thread");
  if (error == nullptr || !PERDURE_HAS(error, message)) {
    return fail(PERDURE_INVALID, "perdure_error.struct_size is not set to sizeof(perdure_error)");
  }
  Failure failure{std::string(view(error->type)), std::string(view(error->message)), nullptr, {}};
  if (PERDURE_HAS(error, detail)) {
    const auto details = value_of(error->detail);
    failure.details = details ? *details : json::value(view(error->detail));  // no JSON is shown as the text it is
  }
  if (PERDURE_HAS(error, stack)) failure.stack = view(error->stack);
  session.said->error = std::move(failure);
  session.said->retry_at_ms = PERDURE_HAS(error, retry_at_ms) ? error->retry_at_ms : 0;
  return PERDURE_OK;
}

inline perdure_status log(const perdure_attempt* attempt, perdure_level level, perdure_str message,
                          perdure_str fields) {
  Session& session = session_of(attempt);
  auto parsed = value_of(fields);
  if (view(fields).empty()) parsed = json::object();
  if (!parsed || !parsed->is_object()) return fail(PERDURE_INVALID, "log fields must be one JSON object");
  const std::lock_guard lock(session.mutex);
  session.result.logs.push_back({std::clamp<perdure_level>(level, PERDURE_TRACE, PERDURE_ERROR),
                                 std::string(view(message)), std::move(parsed->get_object())});
  return PERDURE_OK;
}

inline perdure_status set_metadata(const perdure_attempt* attempt, perdure_metadata_target target,
                                   perdure_metadata_op op, perdure_str key, perdure_str value) {
  constexpr std::size_t kMost = std::size_t{256} << 10;
  Session& session = session_of(attempt);
  const auto parsed = op == PERDURE_META_DELETE ? json::value() : value_of(value);
  if (!parsed) return fail(PERDURE_INVALID, "the metadata value is not JSON");
  if (target < PERDURE_META_SELF || target > PERDURE_META_ROOT) return fail(PERDURE_INVALID, "no such metadata target");
  const std::lock_guard lock(session.mutex);
  const bool own = target == PERDURE_META_SELF || !session.options.has_parent;
  json::object& place = own                             ? session.result.metadata
                        : target == PERDURE_META_PARENT ? session.result.parent_metadata
                                                        : session.result.root_metadata;
  json::object changed = place;
  if (!change_metadata(changed, op, view(key), *parsed)) {
    return fail(PERDURE_INVALID, "the value does not fit the operation on metadata \"" + std::string(view(key)) + "\"");
  }
  if (to_json(changed).size() > kMost) return fail(PERDURE_INVALID, "the metadata would exceed 256 KB");
  place = std::move(changed);
  return PERDURE_OK;
}

inline perdure_status add_tags(const perdure_attempt* attempt, const perdure_str* tags, std::uint64_t count) {
  constexpr std::size_t kMost = 10;
  Session& session = session_of(attempt);
  const std::lock_guard lock(session.mutex);
  std::vector<std::string> all = session.result.tags;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string tag(view(tags[i]));
    const auto characters = std::count_if(tag.begin(), tag.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (tag.empty() || characters > 128) return fail(PERDURE_INVALID, "a tag must have 1 to 128 characters");
    if (std::find(all.begin(), all.end(), tag) == all.end()) all.push_back(tag);
  }
  if (all.size() > kMost) return fail(PERDURE_INVALID, "a run has at most 10 tags");
  session.result.tags = std::move(all);
  return PERDURE_OK;
}

inline perdure_status stream_append(const perdure_attempt* attempt, perdure_str stream, perdure_str chunk) {
  if (stream.len == 0 || stream.len > 128) return fail(PERDURE_INVALID, "a stream's name must have 1 to 128 bytes");
  if (chunk.len > std::size_t{1} << 20) return fail(PERDURE_INVALID, "a chunk may have 1 MB");
  Session& session = session_of(attempt);
  const std::lock_guard lock(session.mutex);
  session.result.streams[std::string(view(stream))].emplace_back(view(chunk));
  return PERDURE_OK;
}

inline perdure_status is_cancelled(const perdure_attempt* attempt) {
  return session_of(attempt).cancelled ? PERDURE_CANCELLED : PERDURE_OK;
}

inline perdure_status heartbeat(const perdure_attempt* attempt) {
  Session& session = session_of(attempt);
  const std::lock_guard lock(session.mutex);
  ++session.result.heartbeats;
  return is_cancelled(attempt);
}

inline perdure_status cancel_fd(const perdure_attempt* attempt, std::int32_t* fd) {
  const Session& session = session_of(attempt);
  if (!session.options.cancel_descriptor) return fail(PERDURE_INVALID, "this attempt has no descriptor");
  *fd = session.cancel_fd;
  return PERDURE_OK;
}

inline perdure_status usage(const perdure_attempt* attempt, perdure_str* json) {
  *json = session_of(attempt).hand_out(
      R"({"durationMs":1,"cpuMs":1,"memoryBytes":1048576,"peakMemoryBytes":1048576,"memoryLimitBytes":null})");
  return PERDURE_OK;
}

inline perdure_status await_result(const perdure_attempt* attempt, std::int64_t timeout_ms, perdure_str* json) {
  Session& session = session_of(attempt);
  const auto& hooks = session.entry.hooks;
  const bool awaited =
      std::any_of(hooks.begin(), hooks.end(), [](const auto& each) { return each.on_cancel != nullptr; });
  if (!awaited) return fail(PERDURE_INVALID, "await_result is for attempts with an on_cancel hook");
  if (session.on_attempt_thread())
    return fail(PERDURE_INVALID, "run would wait for itself: await_result is for on_cancel");
  std::unique_lock lock(session.mutex);
  const auto returned = [&session] { return session.run_outcome.has_value(); };
  if (timeout_ms < 0) {
    session.returned.wait(lock, returned);
  } else if (!session.returned.wait_for(lock, std::chrono::milliseconds(timeout_ms), returned)) {
    return fail(PERDURE_TIMED_OUT, "run still executes");
  }
  *json = str(*session.run_outcome);
  return PERDURE_OK;
}

inline perdure_services make_services() {
  perdure_services table{};
  table.struct_size = sizeof table;
  table.set_result = set_result;
  table.set_error = set_error;
  table.last_error = [](const perdure_attempt*) { return str(last_words()); };
  table.release = [](const perdure_attempt* attempt, perdure_str handed_out) {
    session_of(attempt).take_back(handed_out);
    return perdure_status{PERDURE_OK};
  };
  table.log = log;
  table.set_metadata = set_metadata;
  table.add_tags = add_tags;
  table.stream_append = stream_append;
  table.heartbeat = heartbeat;
  table.is_cancelled = is_cancelled;
  table.cancel_fd = cancel_fd;
  table.config = [](const perdure_attempt* attempt, perdure_str* json) {
    *json = str(session_of(attempt).config);
    return perdure_status{PERDURE_OK};
  };
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
  table.local = [](const perdure_attempt* attempt, void*** place) {
    *place = &session_of(attempt).local;
    return perdure_status{PERDURE_OK};
  };
  table.await_result = await_result;
  table.wait_many = wait_many;
  return table;
}

/// The table that every attempt under test is given.
inline const perdure_services& services() {
  static const perdure_services table = make_services();
  return table;
}

}  // namespace perdure::testing::detail
