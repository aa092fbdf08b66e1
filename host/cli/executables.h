// Where the executables are that a host starts. Any thread.
#pragma once

#include <string>

#include "store/model/status.h"

namespace perdure::cli {

/// perdure-zygote: beside this executable, else in ../libexec/perdure. kNotFound, naming both places.
store::Result<std::string> zygote_executable();

/// This executable itself, which makes backtraces as `perdure backtrace`. kNotFound when it has been moved away.
store::Result<std::string> own_executable();

}  // namespace perdure::cli
