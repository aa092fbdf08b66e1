// The documents of catch_error: the retry policy that it is told, and the decision that it gives. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/retry.h"
#include "store/model/status.h"

namespace perdure::store {

/// A decision as plugin.h describes it (perdure_hooks.catch_error): {"retry":false}, {"retryAtMs":time},
/// {"retryAfterMs":duration}, {"retry":{what is to differ from `policy`}}, or such a policy with a time; an empty text
/// or {} leaves it to the policy. kInvalid names the member by its path and what was expected.
Result<RetryDecision> parse_retry_decision(std::string_view json, const RetryPolicy& policy, Time now);

/// `policy` with every member, in the words of the task options' "retry"; `max_attempts` is the number that holds for
/// the run.
std::string retry_policy_json(const RetryPolicy& policy, std::uint32_t max_attempts);

}  // namespace perdure::store
