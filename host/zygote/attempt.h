// The runtime of attempts in a child process: takes a start from the host, calls the task, says how it ended, and
// leaves once the host has that. One attempt at a time; with recycling the same process then takes the next.
#pragma once

#include "host/zygote/registration.h"

namespace perdure::zygote {

/// Where a child keeps its end of the attempt link.
inline constexpr int kLinkDescriptor = 3;
/// Where one that may outlive its host keeps the host's ends of its link, stdout and stderr, so that they do not close
/// with the host: this and the two after it.
inline constexpr int kHostDescriptors = 4;
/// How often the zygote vouches for its attempts (vouch.h); one that must send heartbeats more often needs a thread.
inline constexpr unsigned kVouchMs = 10'000;

/// From now on every attempt of this process and of its children sends its heartbeats itself.
void beat_in_every_attempt();

/// In the zygote: makes what every child would otherwise have to make for itself.
void prepare_attempts();

/// In a child forked ahead: takes the page faults of serving before a run waits for it.
void warm_attempt();

/// Serves attempts on kLinkDescriptor until the host lets this process go.
[[noreturn]] void serve_attempts(const Registration& registration);

/// Answers the first start with a failure: the plugin, loaded anew for this attempt, was refused.
[[noreturn]] void serve_refusal(const std::string& reason);

}  // namespace perdure::zygote
