// A host of one's own for `perdure dev`: `perdure serve` as a child process, with its data and plugin directories in
// the project's folder .perdure. One thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "host/os/unique_fd.h"
#include "store/model/status.h"

namespace perdure::cli {

class DevHost {
 public:
  DevHost() = default;
  /// Ends it, at once.
  ~DevHost();
  DevHost(const DevHost&) = delete;
  DevHost& operator=(const DevHost&) = delete;

  /// Starts it at `listen` (ADDR:PORT) and waits until it is ready. kUnavailable with the end of its log when it is
  /// not.
  store::Status start(const std::filesystem::path& project, const std::string& listen);

  [[nodiscard]] bool started() const { return pid_ > 0; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string data() const { return (directory_ / "data").string(); }
  [[nodiscard]] std::filesystem::path plugins() const { return directory_ / "plugins"; }
  /// Readable once it has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// The last lines of its log.
  [[nodiscard]] std::string log_end() const;
  /// Asks it to end, which lets attempts end; a second time cuts them off.
  void ask_to_end() const;
  /// Reaps it, once it has ended.
  void reap();

 private:
  std::filesystem::path directory_;  // .perdure
  std::string url_;
  pid_t pid_ = 0;
  os::UniqueFd pidfd_;
};

}  // namespace perdure::cli
