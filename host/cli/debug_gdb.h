// gdb, told what to run. Pure, but for looking for gdb.
#pragma once

#include <string>
#include <vector>

#include "host/cli/console.h"
#include "host/os/process.h"
#include "store/model/status.h"

namespace perdure::cli {

/// The command that debugs `program` in gdb, which runs it at once, with its environment and not gdb's: stops at
/// `breakpoints`, which may be in code that is not loaded yet. `arguments`, unless empty, go to gdb in place of that
/// `run`. kNotFound: gdb is not installed.
store::Result<os::Command> gdb_command(const os::Command& program, const std::vector<std::string>& breakpoints,
                                       const std::vector<std::string>& arguments, const Console& console);

}  // namespace perdure::cli
