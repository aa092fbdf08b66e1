// Perdure as authors of plugins have it: installed into a prefix of the test's own, with nothing of this repository in
// reach. What is built against it goes through ccache, where there is one, so each test has the same paths every time.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::kit {

using e2e::Answer;
using e2e::Ended;
using Environment = std::map<std::string, std::string>;

class Kit {
 public:
  /// Installs into a directory named after the running test, empty before, gone afterwards unless the test has failed.
  Kit();
  ~Kit();
  Kit(const Kit&) = delete;
  Kit& operator=(const Kit&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] const std::filesystem::path& prefix() const { return prefix_; }
  /// Moves the prefix, after the installation, to `name` in the directory.
  void move_to(const std::string& name);

  /// What makes CMake use ccache, where there is one.
  static Environment launchers();
  /// Runs a program to its end with the prefix's bin first in PATH; it need not be named with its directory.
  [[nodiscard]] Ended run(std::vector<std::string> command, const Environment& environment = {}) const;
  /// The installed `perdure`.
  [[nodiscard]] Ended perdure(std::vector<std::string> arguments) const;
  /// Configures `source`, finding Perdure by PATH, and builds it, in `build`. False, and the test has failed, when it
  /// does not build.
  [[nodiscard]] bool build(const std::filesystem::path& source, const std::filesystem::path& build,
                           const std::vector<std::string>& options = {}) const;

 private:
  std::filesystem::path directory_, prefix_;
};

/// What a program said, for the message of a failed test.
std::string said(const Ended& ended);

}  // namespace perdure::kit
