// `perdure serve` as a process, in a data directory of its own, for the tests of its life.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace perdure::cli {

/// What a finished command left.
struct Finished {
  int status = -1;  // exit status; 128 + n when signal n ended it
  std::string out, err;
};

/// Runs the real `perdure` with these arguments, and nothing of this process's PERDURE_ variables but `variables`.
Finished perdure_executable(const std::vector<std::string>& arguments, const std::vector<std::string>& variables = {});

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A host on a free loopback port, ready when the constructor returns. Killed by the destructor unless it has ended.
class HostProcess {
 public:
  explicit HostProcess(const std::string& data, const std::vector<std::string>& more = {});
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  /// Arguments that point a client verb at this host.
  [[nodiscard]] std::vector<std::string> asking(std::vector<std::string> arguments) const;
  void signal(int number) const;
  /// Waits for it to end; the exit status, 128 + n when signal n ended it.
  int wait();

 private:
  std::string data_, url_;
  pid_t pid_ = -1;
  int out_ = -1;
};

}  // namespace perdure::cli
