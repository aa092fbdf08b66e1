// What `perdure doctor` looks at, a function for each subject. Each tells what it found and, where that is not good,
// what to do. They change nothing that a host's start would not change. One thread.
#pragma once

#include <string>
#include <vector>

#include "host/cli/console.h"
#include "host/config/config.h"

namespace perdure::cli {

enum class Grade { kGood, kWarning, kBad };

struct Finding {
  std::string subject;  // "data directory"
  Grade grade = Grade::kGood;
  std::string found;   // one sentence
  std::string advice;  // what to do; empty when good
};
using Findings = std::vector<Finding>;

/// The data directory, what is in it and who may read it.
void examine_data(const config::Config& config, Findings& findings);
/// The disk that it is on.
void examine_space(const config::Config& config, Findings& findings);
/// The store: by asking the host, when one runs on the directory, else by opening it.
void examine_store(const config::Config& config, Console& console, Findings& findings);
/// The plugin directory and the files in it.
void examine_plugins(const config::Config& config, Findings& findings);
/// What limits the memory of attempts, and how much they have.
void examine_memory(const config::Config& config, Findings& findings);
/// How many descriptors and processes there may be.
void examine_limits(const config::Config& config, Findings& findings);
/// The executables that a host starts, and whether backtraces can be taken.
void examine_processes(Findings& findings);

}  // namespace perdure::cli
