// perdure: the host and its command line, in one executable.
#include <string>
#include <vector>

#include "host/cli/command_line.h"

int main(int argc, char** argv) {
  auto console = perdure::cli::standard_console();
  const std::vector<std::string> arguments(argc > 0 ? argv + 1 : argv, argv + argc);
  return perdure::cli::run(arguments, console, perdure::cli::all_verbs());
}
