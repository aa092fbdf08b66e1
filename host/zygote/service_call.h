// What every service does around its work: finds its attempt, lets no exception out, and leaves words for last_error.
// For the services' own files. Any thread.
#pragma once

#include <perdure/plugin.h>

#include <string>
#include <string_view>

#include "host/zygote/attempt_state.h"

namespace perdure::zygote {

inline Call& call_of(const perdure_attempt* attempt) { return *static_cast<Call*>(attempt->host); }
inline AttemptState& state_of(const perdure_attempt* attempt) { return call_of(attempt).state; }

inline std::string_view text_of(perdure_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

template <typename Body>
perdure_status guarded(Body body) noexcept {
  try {
    return body();
  } catch (...) {
    return fail(PERDURE_OUT_OF_MEMORY, "no memory for this call");
  }
}

inline constexpr std::string_view kOtherThread =
    "this service is for the thread that runs the task, and another one called it";

/// Asks the host and waits for its answer; `answer`, where there is one, gets the raw part of it.
perdure_status ask(Call& call, protocol::RequestKind kind, std::string_view json, std::string_view raw,
                   std::string* answer = nullptr);

/// Leaves the words of a reply that is a refusal, and gives its status.
perdure_status refused(Call& call, const protocol::Incoming& reply);
/// Triggers a run; `awaited`: this attempt will wait for it.
perdure_status trigger_run(Call& call, const perdure_trigger* trigger, bool awaited, std::string* run_id);
/// Whether the options of a trigger say that it is for the case of success: a promise of the host's then, which
/// another host has to hear of.
bool is_promise(std::string_view options);
/// The json of a request with what it was answered, JSON, for a host that hears of it later.
std::string with_answer(std::string_view json, std::string_view told);
/// Something to wait for.
struct Awaited {
  std::string_view name;   // the same in every attempt
  std::string_view what;   // of kWait's json the members but call, name and tell
  std::string_view event;  // what on_wait and on_resume are told of it: {"type","id"?}
};
/// Waits for it, as one durable call; `answer` gets what came, of a token or a run also its error. [attempt's thread]
perdure_status wait_for_reply(Call& call, const Awaited& awaited, std::string* answer);

// asking_services.cpp: those that the host answers; as plugin.h says.
perdure_status set_metadata(const perdure_attempt* attempt, perdure_metadata_target target, perdure_metadata_op op,
                            perdure_str key, perdure_str value);
perdure_status add_tags(const perdure_attempt* attempt, const perdure_str* tags, std::uint64_t count);
perdure_status stream_append(const perdure_attempt* attempt, perdure_str stream, perdure_str chunk);
perdure_status trigger(const perdure_attempt* attempt, const perdure_trigger* trigger, perdure_str* run_id);
// batch_services.cpp
perdure_status batch_trigger(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                             std::uint64_t count, perdure_str* json);
perdure_status batch_trigger_and_wait(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                                      std::uint64_t count, perdure_str* json);
// token_services.cpp
perdure_status token_create(const perdure_attempt* attempt, perdure_str options, perdure_str* json);
perdure_status token_complete(const perdure_attempt* attempt, perdure_str token_id, perdure_str json);
// step_services.cpp
perdure_status memo_get(const perdure_attempt* attempt, perdure_str key, perdure_str* json);
perdure_status memo_put(const perdure_attempt* attempt, perdure_str key, perdure_str json);

// wait_services.cpp
perdure_status wait_for(const perdure_attempt* attempt, std::int64_t duration_ms);
perdure_status wait_until(const perdure_attempt* attempt, std::int64_t unix_ms);
perdure_status trigger_and_wait(const perdure_attempt* attempt, const perdure_trigger* trigger, perdure_str* json);
perdure_status token_wait(const perdure_attempt* attempt, perdure_str token_id, perdure_str* json);
perdure_status wait_many(const perdure_attempt* attempt, perdure_str what, perdure_str* json);

}  // namespace perdure::zygote
