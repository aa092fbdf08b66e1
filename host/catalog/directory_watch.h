// Says that something in the plugin directory may have changed. What has changed the catalog finds out by looking, so
// nothing is lost when the kernel loses events, and many changes are one call. Core thread only.
//
// Noticed through inotify, within a few hundredths of a second:
//   - a file *.so or *.so.sig made, closed after writing, renamed in or out, removed, or given other rights;
//   - the directory removed, made, made again, moved away, given other rights, or replaced, and a symbolic link
//   anywhere
//     on the way to it re-pointed (`current -> release-42`);
//   - for a symbolic link in the directory the same of its target, wherever that is.
// Not noticed: writes to a file that stays open (its closing is), writes through a shared mapping, what another machine
// does on a network file system, and a file system mounted over a directory on the way. For these there is polling: the
// names, and each file's inode, size, times, owner and rights, symbolic links followed, compared at every interval, on
// the core thread, which a network file system that hangs therefore stops. A change that leaves all of these as they
// were goes unnoticed by it.
//
// Where inotify refuses (no instances or watches left, a directory on the way that may not be read), it polls until
// inotify works again, and says so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "store/model/ids.h"

namespace perdure::catalog {

struct DirectoryWatchOptions {
  std::filesystem::path path;  // need not exist
  /// How often to look; 0: by inotify.
  store::Duration poll{0};
  /// How often to look while inotify refuses.
  store::Duration fallback_poll{5000};
  /// How long to wait for further events before telling of one.
  store::Duration gather{20};
  /// Something may have changed. Never called inside a function of the watch; may destroy it.
  std::function<void()> changed{};
  /// One sentence: inotify refuses, why, what is done instead, and what to do. Once until it works again. May be called
  /// inside the constructor. May be empty.
  std::function<void(const std::string& sentence)> warn{};
};

class DirectoryWatch {
 public:
  /// Watches from now on: scan after this, and no change is missed. `io` is run by the calling thread and outlives
  /// this.
  DirectoryWatch(boost::asio::io_context& io, DirectoryWatchOptions options);
  /// changed() is not called any more.
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

 private:
  class Watching;
  std::shared_ptr<Watching> watching_;
};

}  // namespace perdure::catalog
