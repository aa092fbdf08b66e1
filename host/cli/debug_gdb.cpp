#include "host/cli/debug_gdb.h"

#include <unistd.h>

namespace perdure::cli {
namespace {

std::string find_program(const std::string& name, const Console& console) {
  const std::string path = console.environment("PATH").value_or("/usr/bin:/bin");
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t end = std::min(path.find(':', from), path.size());
    const std::string candidate = path.substr(from, end - from) + '/' + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    from = end + 1;
  }
  return {};
}

}  // namespace

store::Result<os::Command> gdb_command(const os::Command& program, const std::vector<std::string>& breakpoints,
                                       const std::vector<std::string>& arguments, const Console& console) {
  os::Command gdb;
  gdb.path = find_program("gdb", console);
  if (gdb.path.empty()) {
    return store::Status::not_found("gdb is not installed (apt-get install gdb); without --gdb no debugger is needed");
  }
  gdb.arguments = {"-q"};
  const auto tell = [&gdb](const std::string& command) { gdb.arguments.insert(gdb.arguments.end(), {"-ex", command}); };
  tell("set confirm off");
  tell("unset environment");
  for (const std::string& variable : program.environment) {
    const std::size_t equals = variable.find('=');
    tell("set environment " + variable.substr(0, equals) + " = " + variable.substr(equals + 1));
  }
  tell("set startup-with-shell off");  // whose own variables and start files would come in between
  tell("set breakpoint pending on");
  for (const std::string& breakpoint : breakpoints) tell("break " + breakpoint);
  tell("set confirm on");
  if (arguments.empty()) tell("run");
  gdb.arguments.insert(gdb.arguments.end(), arguments.begin(), arguments.end());
  gdb.arguments.insert(gdb.arguments.end(), {"--args", program.path});
  gdb.arguments.insert(gdb.arguments.end(), program.arguments.begin(), program.arguments.end());
  for (char** variable = environ; *variable != nullptr; ++variable) gdb.environment.emplace_back(*variable);
  return gdb;
}

}  // namespace perdure::cli
