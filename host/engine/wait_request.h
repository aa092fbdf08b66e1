// Reading for what an attempt wants to wait, and wording what came of it. Pure but for looking into the store; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "host/process/launcher.h"
#include "store/model/waitpoint.h"
#include "store/store.h"

namespace perdure::engine {

/// What a kWait asks for.
struct AskedWait {
  store::NewWait wait;  // all but whose it is
  bool tell = false;    // the attempt wants to hear when it begins
  bool single = false;  // for one thing, whose value is the answer itself
};
/// kInvalid when it is none. Several times are one: of `any` the first, of `all` the last.
store::Result<AskedWait> read_wait(const std::string& json, store::Time now);

/// The answer to a wait that is over: of a single one the value that came, or its error; else an array, see kWait.
process::AttemptReply wait_reply(const store::Store& store, const store::RecordedCall& call, bool single);

}  // namespace perdure::engine
