// The runs of some tasks, followed as they come: their log lines and how they end. By asking the host again and again,
// so that any number of runs costs one request a look. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/cli/client.h"
#include "host/cli/console.h"

namespace perdure::cli {

class DevRuns {
 public:
  /// Those that are triggered from now on.
  DevRuns(Client& client, Console& console);

  /// Which tasks' runs; of earlier ones too.
  void follow(const std::vector<std::string>& tasks);

  /// Shows what is new. False: the host did not answer.
  bool look();

 private:
  struct Run {
    long long sequence = 0;  // of the last log entry shown
    bool ended = false;
  };
  bool show_logs(const std::string& id, Run& run);
  bool show_end(const std::string& id);
  [[nodiscard]] std::string prefix(const std::string& id) const;

  Client& client_;
  Console& console_;
  std::string since_;
  std::vector<std::string> tasks_;
  std::map<std::string, Run> runs_;  // ids begin with their time, so the first is the oldest
};

}  // namespace perdure::cli
