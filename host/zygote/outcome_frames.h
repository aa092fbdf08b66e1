// What an attempt says to its host about its end: the outcome, and before it, where hooks want to know, the question
// what would become of the run. Attempt's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/protocol/frame.h"
#include "host/zygote/attempt_state.h"

namespace perdure::zygote {

/// Sends kOutcome, with what the attempt still has to print and log before it. After a kJudge the judged outcome
/// counts, whatever is said here.
void send_outcome(AttemptState& state, protocol::Outcome outcome, Said said);

/// Waits until the host has the outcome. True when it wants this process for another attempt.
bool await_confirm(AttemptLink& link);

/// What catch_error made of an error.
struct Caught {
  std::string replaced;  // another error, as JSON; empty: none
  std::string decision;  // about the retry, as it was set; empty: none
  std::string failed;    // catch_error's own error, as JSON; empty: it has none
};

/// The host's answer to kJudge: what the attempt's end counts as, and what becomes of the run.
struct Judgement {
  std::string ended;                 // "success", "failure", "timed_out" or "canceled"
  bool is_final = true;              // the run is over
  std::string retry_at_ms = "null";  // or a number
  std::string retry = "{}";          // the task's retry policy
  std::string error;                 // JSON, where there is one
};

/// Asks kJudge. Nothing when the host is gone.
std::optional<Judgement> ask_judgement(AttemptState& state, protocol::Outcome outcome, const Said& said,
                                       const Caught& caught = {});

}  // namespace perdure::zygote
