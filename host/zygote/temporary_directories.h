// A directory of its own for the temporary files of every attempt, which it finds in TMPDIR. Making and removing one
// takes as long as many an attempt, so the zygote keeps those that nothing was done to for other attempts, which one
// look at each tells; what an attempt left something in goes to the host, which removes it.
// The class is the fork server's; the functions are for its children. Single-threaded.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/zygote/arguments.h"
#include "host/zygote/private_memory.h"

namespace perdure::zygote {

/// One of them, and how it looked when it was empty.
struct TemporaryDirectory {
  std::uint32_t number = 0;  // 0: none could be made, and TMPDIR names a place that is not there
  ino_t inode = 0;
  timespec changed{};
  bool settled = false;  // was not changed so lately that another change could have the same time
};

class TemporaryDirectories {
 public:
  /// They are made in `parent`, which belongs to this zygote alone, and belong to `user`. An empty `parent`: there are
  /// none, and TMPDIR stays as it is.
  TemporaryDirectories(std::string parent, std::optional<User> user);
  TemporaryDirectories(const TemporaryDirectories&) = delete;
  TemporaryDirectories& operator=(const TemporaryDirectories&) = delete;

  /// An empty one, for one child.
  TemporaryDirectory take();
  /// The child is dead, and so is everything it started. True when it left something: the directory is in the host's
  /// `left` now, beside `parent`.
  bool give_back(const TemporaryDirectory& directory);
  [[nodiscard]] std::string path(const TemporaryDirectory& directory) const;

 private:
  bool make(TemporaryDirectory& directory);

  const std::string parent_;
  const std::optional<User> user_;
  std::vector<TemporaryDirectory, PrivateMemory<TemporaryDirectory>> idle_;
  std::uint32_t made_ = 0;
};

/// In a forked child: TMPDIR is `directory` of the zygote's TemporaryDirectories. No system call.
void enter_temporary_directory(const TemporaryDirectory& directory);
/// In an executed attempt: TMPDIR is `path`, which is its own.
void enter_temporary_directory(const std::string& path);
/// In a child that goes on to serve another attempt: nothing is left of this one's files. One system call when there
/// were none.
void clear_temporary_directory();

}  // namespace perdure::zygote
