// Reading what an attempt asks, and wording what it is answered. Pure but for looking into the store; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/process/launcher.h"
#include "store/model/call.h"
#include "store/model/json_members.h"
#include "store/store.h"

namespace perdure::engine {

/// The members of a request's json; kInvalid when it is no object.
store::Result<std::vector<store::JsonMember>> members_of(const std::string& json);
/// A member that is a string; empty when there is none.
std::string text_member(const std::vector<store::JsonMember>& members, std::string_view name);
/// A member that is a whole number from 0 to 2^63; 0 when there is none.
std::uint64_t number_member(const std::vector<store::JsonMember>& members, std::string_view name);

process::AttemptReply reply_of(const store::Status& status);

/// A durable call as an attempt makes it.
struct AskedCall {
  std::uint64_t number = 0;
  store::CallKind kind = store::CallKind::kStep;
  std::string name;
};
/// The answer to a durable call that came to `status`: kMismatch, with the error STEP_MISMATCH {expected, got}, when
/// that is because another call is recorded there.
process::AttemptReply call_reply(const store::Store& store, const store::RunId& run, const AskedCall& asked,
                                 const store::Status& status);

}  // namespace perdure::engine
