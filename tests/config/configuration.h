// Loads configurations from texts, for the tests of this folder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/config/config.h"

namespace perdure::config {

/// A perdure.toml in a directory of its own, with an environment and flags beside it.
struct Given {
  std::string toml{};  // empty: no file
  std::map<std::string, std::string> variables{};
  std::vector<Flag> flags{};
};

store::Result<Loaded> load_given(const Given& given);

/// What is wrong with it, with the file's directory cut off; empty when nothing is.
std::string errors_of(const Given& given);

}  // namespace perdure::config
