// inotify(7), thinly: directories watched through one descriptor. One thread.
#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "host/os/unique_fd.h"

namespace perdure::os {

class Inotify {
 public:
  /// fd() is -1 with errno set when the system has no more; then nothing else may be called.
  Inotify();

  /// Readable when there are events.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Watches the directory for `events` besides those it is watched for already. The watch, which follows the directory
  /// and not its name and is the same for the same directory, or -1 with errno set.
  [[nodiscard]] int add(const std::string& directory, std::uint32_t events);
  void remove(int watch);
  /// Calls `event` for everything there is to read, with the name of what changed in the directory, empty for the
  /// directory itself. A watch of -1 with IN_Q_OVERFLOW: events were lost. Does not wait.
  void read(const std::function<void(int watch, std::uint32_t events, std::string_view name)>& event);

 private:
  UniqueFd fd_;
};

}  // namespace perdure::os
