// The lock on a data directory: one host at a time. The file `lock` in it is locked with flock(2), which ends with the
// process however it ends, and holds the process id of whoever has it.
// Values; one thread.
#pragma once

#include <memory>
#include <string>

#include "store/model/status.h"

namespace perdure::store::rocks {

class DirectoryLock {
 public:
  /// Creates `directory` when it is missing and locks it. kUnavailable, naming the other process, when it is taken; kIo
  /// when the file cannot be made.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace perdure::store::rocks
