// The command line as a whole: reads the arguments, does the verb, answers the exit status. One thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/cli/verbs.h"

namespace perdure::cli {

/// The verbs that only speak HTTP to a host.
std::span<const AddVerb> client_verbs();
/// All of `perdure`.
std::span<const AddVerb> all_verbs();

/// Does what `arguments` (without the program's name) say. kWrongUsage with a sentence and a pointer to --help when
/// they are not understood.
int run(std::vector<std::string> arguments, Console& console, std::span<const AddVerb> verbs);

}  // namespace perdure::cli
