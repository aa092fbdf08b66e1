// perdure tokens …: the verbs about waitpoint tokens.
#include <CLI/CLI.hpp>

#include "host/cli/verbs.h"

namespace perdure::cli {

void add_tokens(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& tokens = *parent.add_subcommand("tokens", "List, make and complete the tokens that runs wait for");
  tokens.require_subcommand(1);
  for (const AddVerb add : {add_tokens_list, add_tokens_get, add_tokens_create, add_tokens_complete}) {
    add(tokens, console, exit_status);
  }
}

}  // namespace perdure::cli
