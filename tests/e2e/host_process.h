// A real `perdure serve` on a directory of its own, for one test: started, killed, started again, ended with the
// object.
#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/http.h"

namespace perdure::e2e {

/// A directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How a program ended, and what it printed.
struct Ended {
  int exit_status = -1;  // -1: by a signal
  std::string out, err;
};
/// Runs a program to its end. Of this process's environment it sees what is not Perdure's, besides `environment`, which
/// wins.
Ended run_program(const std::vector<std::string>& arguments,
                  const std::map<std::string, std::string>& environment = {});

struct HostOptions {
  std::filesystem::path executable = PERDURE_TEST_BIN_DIR "/perdure";
  std::filesystem::path plugins = PERDURE_TEST_PLUGIN_DIR;
  std::filesystem::path data{};                      // made under `directory()` when empty
  std::map<std::string, std::string> environment{};  // besides ours
  std::vector<std::string> arguments{};              // besides those every host gets
  std::vector<std::string> within{};  // a command that becomes the host it is given as its last arguments
};

class HostProcess {
 public:
  explicit HostProcess(HostOptions options = {});
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  /// Starts it and waits until it is ready. False, with `log()` telling why, when it is not within a minute.
  [[nodiscard]] bool start();
  /// Starts it and waits for nothing; it has no url() then. False: it cannot be started.
  [[nodiscard]] bool launch();
  /// SIGKILL, and waits until it is gone. Attempts go on.
  void kill();
  /// The same to it and its zygotes, with which attempts end: as when the machine dies.
  void kill_with_attempts();
  /// SIGTERM, and waits; the exit status, or -1 by a signal.
  int stop();
  void signal(int number) const;
  /// Waits until it has ended; the exit status, or -1 by a signal.
  int wait();

  [[nodiscard]] Http client() const { return {url_, key()}; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string key() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::filesystem::path& data() const { return options_.data; }
  /// Where what the running host calls `path` is for us; it may have been started in a mount namespace of its own.
  [[nodiscard]] std::filesystem::path seen(const std::filesystem::path& path) const;
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }
  /// What it logged.
  [[nodiscard]] std::string log() const;

  /// Runs `perdure ARGUMENTS…` against this host.
  [[nodiscard]] Ended cli(std::vector<std::string> arguments) const;

 private:
  [[nodiscard]] std::vector<std::string> command() const;
  void kill_zygotes() const;

  TemporaryDirectory directory_;
  HostOptions options_;
  pid_t pid_ = -1;
  std::string url_;
};

/// Triggers `task`, with further options where given; the run's id. Fails the test when it is not accepted.
std::string trigger(Http& http, const std::string& task, const std::string& payload, boost::json::object options = {});
/// Waits until the run is final; its long form.
boost::json::object await_run(Http& http, const std::string& id);

}  // namespace perdure::e2e
