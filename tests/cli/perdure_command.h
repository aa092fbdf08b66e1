// Runs a command line of client verbs in this process, with a console of its own.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "host/cli/command_line.h"

namespace perdure::cli {

struct Ended {
  int status = -1;
  std::string out, err;
};

struct Given {
  std::map<std::string, std::string> variables{};
  std::string in{};
  bool terminal = false;
  bool color = true;
};

inline Ended perdure(std::vector<std::string> arguments, const Given& given = {}) {
  std::istringstream in(given.in);
  std::ostringstream out, err;
  Console console{.in = in,
                  .out = out,
                  .err = err,
                  .out_is_terminal = given.terminal,
                  .err_is_terminal = given.terminal,
                  .color = given.color,
                  .environment = [&given](const std::string& name) {
                    const auto found = given.variables.find(name);
                    return found == given.variables.end() ? std::nullopt : std::optional(found->second);
                  }};
  const int status = run(std::move(arguments), console, client_verbs());
  return {status, out.str(), err.str()};
}

}  // namespace perdure::cli
