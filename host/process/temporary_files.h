// The host's part in the temporary directories of attempts: zygotes make them and hand what was left in one over by
// moving it to `left`; a thread of its own, which exists once there was something, removes what is there. So neither
// the core nor a zygote ever waits for a large tree. What a host before this one left is removed likewise. Core thread,
// except for `warn`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/model/status.h"

namespace perdure::process {

class TemporaryFiles {
 public:
  /// `directory` is nobody else's; empty: there are none at all. `warn` is told in a sentence what cannot be removed,
  /// on the thread that removes. `passable`: attempts of another user find their way through it.
  /// `in_use`: zygotes' directories, as next_zygote() gave them to a host before this one, that are left alone.
  TemporaryFiles(std::string directory, bool passable, std::function<void(const std::string&)> warn,
                 const std::vector<std::string>& in_use = {});
  /// Everything below it is dead. Removes what it can in two seconds; the rest is the next host's.
  ~TemporaryFiles();
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;

  /// A path for one zygote's directories, which makes it itself. Empty when there are none.
  std::string next_zygote();
  /// The zygote with that path is dead, and so is everything below it.
  void zygote_died(const std::string& path);
  /// The zygote with that path goes on when this host ends: it is left alone.
  void keep(const std::string& path) { kept_.push_back(path); }
  /// There is something in `left`.
  void left();

 private:
  void remove_all();

  const std::string directory_, left_;
  const std::function<void(const std::string&)> warn_;
  std::vector<std::string> kept_;
  std::uint64_t next_ = 1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool more_ = false;  // guarded by mutex_
  std::atomic<bool> ending_{false};
  std::thread remover_;
};

}  // namespace perdure::process
