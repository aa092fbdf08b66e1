// A host with copies of the fixture "hooked", each told by its last line what to be (tests/fixtures/hooked/hooked.cpp
// says what it understands), and the journals in which their hooks write that they were called.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::lifecycle {

/// One line of a journal.
struct Called {
  std::string plugin, version, hook;
  boost::json::value event;
};

class HookedHost {
 public:
  /// Starts it, with further arguments; the plugin "hooked" with the task "mortal" serves. `plugins`: what else is in
  /// the directory from the beginning, by file name, and what each is told.
  explicit HookedHost(const std::map<std::string, std::string>& plugins = {}, std::vector<std::string> arguments = {});

  e2e::Http& http() { return *http_; }
  e2e::HostProcess& process() { return host_; }
  /// Kills the host, and starts another on the same data.
  void kill_and_start();
  /// … with its attempts, as when the machine dies.
  void kill_with_attempts_and_start();

  void put(const std::string& file, const std::string& told) const;
  void remove(const std::string& file) const;
  /// Waits until the host shows a plugin that is as `wanted`; it. Fails the test when that takes a minute.
  boost::json::object await_plugin(const std::function<bool(const boost::json::object&)>& wanted);
  /// … until the global hooks of the plugins named `by` are all that stand around the tasks of "hooked".
  void await_surrounded(const std::vector<std::string>& by);

  /// Triggers "mortal" with these members in its payload, besides its journal.
  std::string trigger(std::map<std::string, std::string> payload, boost::json::object options = {});
  boost::json::object await(const std::string& run) { return e2e::await_run(http(), run); }
  /// Waits until the run has this status.
  void await_status(const std::string& run, const std::string& status);
  void cancel(const std::string& run);
  /// The run's timeline; waits until it has `hooks` events of hooks.
  std::vector<boost::json::object> timeline(const std::string& run, std::size_t hooks = 0);

  /// What the hooks of "mortal" wrote, and those of global hooks of the plugin "audit".
  [[nodiscard]] std::vector<Called> own() const { return read(journal_); }
  [[nodiscard]] std::vector<Called> audited() const { return read(audit_); }
  /// Waits until `journal` has `count` lines.
  std::vector<Called> own(std::size_t count);
  std::vector<Called> audited(std::size_t count);

  /// A file that is not there until open().
  [[nodiscard]] std::string gate() const { return directory_.path() / "gate"; }
  void open_gate() const;

 private:
  [[nodiscard]] static std::vector<Called> read(const std::filesystem::path& journal);
  static std::vector<Called> await_lines(const std::filesystem::path& journal, std::size_t count);
  void start();
  [[nodiscard]] std::vector<std::string> configured(std::vector<std::string> arguments) const;

  const e2e::TemporaryDirectory directory_;
  const std::filesystem::path plugins_ = directory_.path() / "plugins", journal_ = directory_.path() / "journal",
                              audit_ = directory_.path() / "audit";
  e2e::HostProcess host_;
  std::unique_ptr<e2e::Http> http_;
};

/// The hooks in the order in which they were called.
std::vector<std::string> hooks_of(const std::vector<Called>& calls);
/// The names of the events.
std::vector<std::string> names_of(const std::vector<boost::json::object>& timeline);
std::string text(const boost::json::value& value);

}  // namespace perdure::lifecycle
