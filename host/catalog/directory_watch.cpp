#include "host/catalog/directory_watch.h"

#include <sys/inotify.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace perdure::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Copying a file makes many events; they are one change.
constexpr milliseconds kCoalesce{20};
// Where inotify cannot be had.
constexpr milliseconds kFallback{5000};

constexpr std::uint32_t kEntries = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                                   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Of the directories above it: only what may put another one in its place.
constexpr std::uint32_t kAbove = IN_MOVED_TO | IN_CREATE | IN_ONLYDIR;

}  // namespace

DirectoryWatch::DirectoryWatch(boost::asio::io_context& io, DirectoryWatchOptions options)
    : options_(std::move(options)), inotify_(io), timer_(io) {
  if (options_.poll > milliseconds(0)) {
    arm(steady_clock::now() + options_.poll);
    return;
  }
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    fall_back(std::strerror(errno));
    return;
  }
  inotify_.assign(fd);
  watch();
  if (inotify_.is_open()) read();
}

void DirectoryWatch::watch() {
  for (const auto& [each, entries] : std::exchange(watches_, {})) {
    ::inotify_rm_watch(inotify_.native_handle(), each);
  }
  const std::filesystem::path directory = std::filesystem::absolute(options_.directory).lexically_normal();
  for (auto below = directory; below.has_relative_path(); below = below.parent_path()) {
    if (!below.has_filename()) continue;  // a slash at the end
    if (!add(below.parent_path(), kAbove, below.filename().string())) return;
  }
  if (!add(directory, kEntries, std::nullopt)) return;
  for (const auto& each : also_) {
    if (!add(each, kEntries, std::nullopt)) return;
  }
}

bool DirectoryWatch::add(const std::filesystem::path& path, std::uint32_t events,
                         const std::optional<std::string>& entry) {
  const int watch = ::inotify_add_watch(inotify_.native_handle(), path.c_str(), events | IN_MASK_ADD);
  if (watch >= 0) {
    const auto [known, fresh] = watches_.try_emplace(watch);
    if (!entry) {
      known->second.reset();
    } else if (fresh) {
      known->second.emplace({*entry});
    } else if (known->second) {
      known->second->insert(*entry);
    }
    return true;
  }
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return true;  // the one above tells when it is there
  fall_back(std::strerror(errno));
  return false;
}

// Whether one of the events that were read, `size` bytes of them, is a change of what is watched.
bool DirectoryWatch::concerns_us(std::size_t size) {
  bool any = false;
  for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
    inotify_event event;
    std::memcpy(&event, &events_[at], sizeof event);
    const std::string name = event.len > 0 ? &events_[at + sizeof event] : "";
    at += sizeof event + event.len;
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      any = moved_ = true;
      continue;
    }
    const auto watch = watches_.find(event.wd);
    if (watch == watches_.end() || (event.mask & IN_IGNORED) != 0) continue;  // of a watch that was ended
    if (watch->second) {
      if (!watch->second->contains(name)) continue;
      moved_ = true;
    } else if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
      moved_ = true;
    }
    any = true;
  }
  return any;
}

void DirectoryWatch::fall_back(const std::string& why) {
  inotify_.close();
  options_.poll = kFallback;
  if (options_.warn) {
    options_.warn("the plugin directory " + options_.directory.string() + " cannot be watched (" + why +
                  "); it is read every 5 s instead");
  }
  arm(steady_clock::now() + options_.poll);
}

void DirectoryWatch::read() {
  inotify_.async_read_some(boost::asio::buffer(events_),
                           [this](const boost::system::error_code& failed, std::size_t size) {
                             if (failed == boost::asio::error::operation_aborted) return;
                             if (failed) return fall_back(failed.message());
                             if (concerns_us(size)) arm(steady_clock::now() + kCoalesce);
                             read();
                           });
}

// The first of several times counts.
void DirectoryWatch::arm(steady_clock::time_point when) {
  if (armed_ && timer_.expiry() <= when) return;
  armed_ = true;
  timer_.expires_at(when);
  timer_.async_wait([this](const boost::system::error_code& canceled) {
    if (canceled) return;
    armed_ = false;
    if (inotify_.is_open() && std::exchange(moved_, false)) watch();
    if (options_.poll > milliseconds(0)) arm(steady_clock::now() + options_.poll);
    options_.changed();
  });
}

void DirectoryWatch::also(const std::set<std::filesystem::path>& directories) {
  if (directories == also_) return;
  also_ = directories;
  if (!inotify_.is_open()) return;
  watch();
  look_again(kCoalesce);  // what changed there between the reading and now
}

void DirectoryWatch::look_again(milliseconds pause) { arm(steady_clock::now() + pause); }

}  // namespace perdure::catalog
