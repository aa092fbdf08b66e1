#include "tests/e2e/holdings.h"

#include <filesystem>
#include <fstream>
#include <utility>

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

// Name and parent of every process there is.
std::map<pid_t, std::pair<std::string, pid_t>> all_processes() {
  std::map<pid_t, std::pair<std::string, pid_t>> all;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    if (!std::getline(file, stat)) continue;  // no process, or one that has just ended
    const auto open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > stat.size()) continue;
    all[std::stoi(stat)] = {stat.substr(open + 1, close - open - 1), std::stoi(stat.substr(close + 4))};
  }
  return all;
}

}  // namespace

std::size_t Holdings::named(const std::string& name) const {
  const auto found = descendants.find(name);
  return found == descendants.end() ? 0 : found->second;
}

Holdings holdings(pid_t process) {
  Holdings now;
  const fs::path root = "/proc/" + std::to_string(process);
  std::ifstream status(root / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) now.memory = std::stol(line.substr(6));
  }
  std::error_code gone;
  for (fs::directory_iterator each(root / "fd", gone), end; !gone && each != end; each.increment(gone)) {
    ++now.descriptors;
  }
  const auto all = all_processes();
  for (const auto& [pid, about] : all) {
    for (auto up = all.find(about.second); up != all.end(); up = all.find(up->second.second)) {
      if (up->first != process) continue;
      ++now.descendants[about.first];
      break;
    }
  }
  return now;
}

}  // namespace perdure::e2e
