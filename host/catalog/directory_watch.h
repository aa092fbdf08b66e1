// Tells when something in the plugin directory may have changed: by inotify, or by looking at intervals where that is
// wanted (a network mount tells nobody of what other machines do) or where inotify cannot be had. It never says what
// changed; whoever is told reads the directory. Lost events are therefore changes like any other.
//
// Guaranteed: after any change to the directory's entries, to a file in it, or to the directories named by also(),
// `changed` is called, some milliseconds later and once for many. The directory and those above it may be removed and
// made again, or be symbolic links that are pointed elsewhere, as deployments do. Core thread only.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace perdure::catalog {

struct DirectoryWatchOptions {
  std::filesystem::path directory;
  /// Looks every so often instead of waiting for inotify; 0: inotify.
  std::chrono::milliseconds poll{0};
  /// Something changed, or time to look.
  std::function<void()> changed;
  /// Why it looks at intervals though nobody wanted that.
  std::function<void(const std::string&)> warn;
};

class DirectoryWatch {
 public:
  DirectoryWatch(boost::asio::io_context& io, DirectoryWatchOptions options);
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  /// Watches these directories as well, and no others that were named before: where symbolic links lead.
  void also(const std::set<std::filesystem::path>& directories);
  /// Calls `changed` after `pause`, unless it is called before.
  void look_again(std::chrono::milliseconds pause);

 private:
  void watch();
  bool add(const std::filesystem::path& path, std::uint32_t events, const std::optional<std::string>& entry);
  void read();
  [[nodiscard]] bool concerns_us(std::size_t size);
  void fall_back(const std::string& why);
  void arm(std::chrono::steady_clock::time_point when);

  DirectoryWatchOptions options_;
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  std::set<std::filesystem::path> also_;
  std::map<int, std::optional<std::set<std::string>>> watches_;  // by descriptor: the entries that matter; none: all
  bool moved_ = false;                                           // the watches may be of directories that were replaced
  alignas(8) std::array<char, 16384> events_{};
};

}  // namespace perdure::catalog
