// The body of a trigger -> what the engine is asked. Every option of the contract is read and checked here; those that
// cannot be honoured are refused by name. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "host/api/http.h"
#include "host/api/json_members.h"
#include "host/api/packets.h"
#include "host/engine/engine.h"
#include "store/model/ids.h"

namespace perdure::api {

/// Parses `body` (empty: no payload, no options) into a request for `task`; `allow_pending` is for when it does not
/// say; `packets`: where stored payloads are, if anywhere. Otherwise the answer that refuses it: 400 for what does not
/// parse, 413 for too large a payload, 422 for an option.
std::variant<engine::TriggerRequest, Response> parse_trigger(const store::TaskId& task, std::string_view body,
                                                             store::Time now, bool allow_pending,
                                                             const Packets* packets = nullptr);

/// Whether the options object may have a member of this name.
bool is_trigger_option(std::string_view name);

/// Reads the options object `json` (valid JSON) into `request`; the refusal, if any.
std::optional<Response> read_trigger_options(std::string_view json, store::Time now, engine::TriggerRequest& request);

/// Reads one of its members into `request`: what is wrong with it, as the end of a sentence that its name begins;
/// empty: nothing. null, and what no option is called like, is left alone.
std::string read_trigger_option(const JsonMember& member, store::Time now, engine::TriggerRequest& request);

/// Unpacks a payload: `value` is the JSON text of the body's payload member, and the request's payload_type says what
/// it is. Sets the JSON text that the task gets, and of superjson the notes; the refusal, if any. With `packets` the
/// type may be application/store, and the value the name of one of them.
std::optional<Response> unpack_payload(std::string_view value, engine::TriggerRequest& request,
                                       const Packets* packets = nullptr);

}  // namespace perdure::api
