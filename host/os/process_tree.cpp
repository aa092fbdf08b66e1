#include "host/os/process_tree.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>

#include "host/os/process.h"

namespace perdure::os {

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  const std::filesystem::directory_iterator end;
  std::filesystem::directory_iterator thread("/proc/" + std::to_string(pid) + "/task", error);
  while (!error && thread != end) {
    std::ifstream list(thread->path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
    thread.increment(error);
  }
  return children;
}

std::vector<pid_t> tree_of(pid_t pid) {
  std::vector<pid_t> tree{pid};
  for (std::size_t i = 0; i < tree.size(); i++) {
    const std::vector<pid_t> below = children_of(tree[i]);
    tree.insert(tree.end(), below.begin(), below.end());
  }
  return tree;
}

std::vector<pid_t> kill_tree(pid_t pid) {
  std::vector<pid_t> tree{pid};
  for (std::size_t i = 0; i < tree.size(); i++) {
    const pid_t each = tree[i];
    (void)kill(each, SIGSTOP);  // so that it starts no further one while the rest is looked for
    const std::vector<pid_t> below = children_of(each);
    tree.insert(tree.end(), below.begin(), below.end());
  }
  (void)kill(-pid, SIGKILL);
  for (const pid_t each : tree) (void)kill(each, SIGKILL);
  return tree;
}

// A process that is in the tree after a descriptor of it was opened is the one the descriptor stands for.
void kill_tree(const UniqueFd& root, pid_t pid) {
  std::map<pid_t, UniqueFd> found;
  for (const pid_t each : tree_of(pid)) {
    if (each != pid) found.emplace(each, open_pidfd(each));
  }
  if (has_died(root)) return;
  for (const pid_t each : tree_of(pid)) {
    if (const auto at = found.find(each); at != found.end() && at->second) send_signal(at->second, SIGKILL);
  }
  send_signal(root, SIGKILL);
}

}  // namespace perdure::os
