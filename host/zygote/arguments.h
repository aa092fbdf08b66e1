// The command line of perdure-zygote: what this process is, and how its attempts are confined. It is handed on when one
// perdure-zygote executes another. Values; any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace perdure::zygote {

/// Whom attempts run as.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Arguments {
  enum class Role {
    kZygote,   // loads the plugin and forks attempts; the control link is descriptor `control`
    kSpawner,  // executes attempts of a plugin that cannot be forked; the control link is descriptor 3
    kAttempt,  // one of those; the attempt link is descriptor 3
    kAlone,    // an attempt without a zygote, for a debugger; the attempt link is descriptor 3
  };
  Role role = Role::kZygote;
  int control = -1;
  std::chrono::milliseconds self_test{0};  // how long the plugin's may take; 0: it is not asked for
  bool beats = false;                      // attempts send their heartbeats themselves
  bool outlives = false;                   // the host's ends of an attempt's channels are the descriptors after its own
  bool core_dumps = false;                 // the limit of core dumps stays as it is; else there are none
  std::optional<User> user;                // absent: the caller
  /// Of a zygote and a spawner the directory for those of attempts; of an attempt its own. Empty: none.
  std::string temporary;
  std::vector<std::string> beside;  // further plugins to load, whose global hooks stand around the tasks
  std::string plugin;

  /// What `main` got; nothing when it means nothing.
  static std::optional<Arguments> read(int count, char** words);
  /// The words after the program's name that read() makes the same of.
  [[nodiscard]] std::vector<std::string> words() const;
};

}  // namespace perdure::zygote
