// One host with the lifecycle fixture, and runs on it: what each hook was given, in the order in which they were
// called, and what the timeline shows of that. One host serves all tests of a process.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {

/// One execution of a hook, or of run, as the hook logged it.
struct Step {
  std::string what;  // "plugin.init"
  boost::json::value event, init;
  int attempt = 0;
};

struct Walk {
  std::string id;
  boost::json::object run;                 // its long form
  std::vector<Step> steps;                 // what hooks logged, in order
  std::vector<boost::json::object> spans;  // the timeline's hooks
  std::vector<std::string> warnings;       // of the host

  [[nodiscard]] std::string status() const { return std::string(run.at("status").as_string()); }
  /// A text of the run's error: "code", "name", "message".
  [[nodiscard]] std::string error(const std::string& member) const;
  [[nodiscard]] std::size_t attempts() const { return run.at("attempts").as_array().size(); }
  /// The names of the steps of an attempt, middleware's ends included, of the scope when one is given.
  [[nodiscard]] std::vector<std::string> order(int attempt, const std::string& scope = {}) const;
  /// The steps of this name.
  [[nodiscard]] std::vector<Step> all(const std::string& what) const;
  /// The one step of this name; fails the test when there is not exactly one.
  [[nodiscard]] Step only(const std::string& what) const;
  /// The timeline's hooks of this name: "task.init".
  [[nodiscard]] std::vector<boost::json::object> spans_of(const std::string& what) const;
};

class AttemptWalk : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  /// Triggers `task` with the script as its payload, and waits for its end.
  static Walk walk(const std::string& script, const std::string& task = "scripted", boost::json::object options = {});
  static std::string begin(const std::string& script, const std::string& task = "scripted",
                           boost::json::object options = {});
  /// Waits until the run has logged this line.
  static void logged(const std::string& id, const std::string& message);
  static void cancel(const std::string& id);
  static Walk end(const std::string& id);
  /// What `perdure ARGUMENTS…` prints.
  static std::string printed(std::vector<std::string> arguments);
};

}  // namespace perdure::e2e
