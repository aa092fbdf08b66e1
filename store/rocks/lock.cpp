// See lock.h.
#include "store/rocks/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace perdure::store::rocks {

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  const std::string path = directory + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    const int error = errno;
    const std::string message =
        "cannot open " + path + ": " + std::strerror(error) + "; the data directory must be writable";
    return error == ENOSPC ? Status::no_space(message) : Status::io(message);
  }
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> pid{};
    const ssize_t got = ::pread(descriptor, pid.data(), pid.size() - 1, 0);
    std::string holder(pid.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return Status::unavailable("the data directory " + directory + " is in use by process " +
                               (holder.empty() ? "(unknown)" : holder) +
                               "; end that process or choose another directory with --data");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, pid.data(), pid.size(), 0) < 0) {
    // The lock holds without it; on a full disk the holder's name is all that is missing.
  }
  return lock;
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace perdure::store::rocks
