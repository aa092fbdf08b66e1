// Signals in words. Functions without state; any thread.
#pragma once

#include <string>

namespace perdure::os {

/// "SIGSEGV"; "SIGRTMIN+3" or "signal 99" for those without a name of their own.
std::string signal_name(int signal);

}  // namespace perdure::os
