#include "host/catalog/directory_watch.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "host/catalog/watched_directories.h"
#include "host/os/inotify.h"
#include "store/model/duration.h"

namespace perdure::catalog {
namespace {

using Error = boost::system::error_code;

constexpr std::uint32_t kStepEvents =
    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
// A symbolic or hard link is made without ever being closed, so IN_CREATE matters for files too.
constexpr std::uint32_t kFileEvents = kStepEvents | IN_CLOSE_WRITE | IN_ATTRIB;

// A path that changes while it is followed is followed again, this often; after that its next event brings it here.
constexpr int kMostRounds = 4;

}  // namespace

// Kept alive by the handler that runs, so that changed() may destroy the watch.
class DirectoryWatch::Watching : public std::enable_shared_from_this<Watching> {
 public:
  Watching(boost::asio::io_context& io, DirectoryWatchOptions options)
      : options_(std::move(options)), stream_(io), gathering_(io), polling_(io) {}

  void start() {
    const bool told = options_.poll.count() > 0 || arm();
    if (options_.poll.count() > 0 || !told) poll_again();
  }

  void stop() {
    stopped_ = true;
    close_inotify();
    gathering_.cancel();
    polling_.cancel();
  }

 private:
  [[nodiscard]] bool by_inotify() const { return options_.poll.count() == 0; }

  // --- polling ---

  void poll_again() {
    if (!picture_) picture_ = picture_of(options_.path);
    polling_.expires_after(by_inotify() ? options_.fallback_poll : options_.poll);
    polling_.async_wait([weak = weak_from_this()](const Error& error) {
      const auto self = weak.lock();
      if (!error && self && !self->stopped_) self->poll();
    });
  }

  void poll() {
    const bool works_again = by_inotify() && arm();
    DirectoryPicture now = picture_of(options_.path);
    const bool same = now == *picture_;
    picture_ = std::move(now);
    if (works_again) {
      picture_.reset();
    } else {
      poll_again();
    }
    if (!same) options_.changed();
  }

  // --- inotify ---

  // Watches all there is to watch. False: something could not be, and polling is needed.
  bool arm() {
    if (!inotify_ && !open_inotify()) return refused("there is no inotify instance to be had", errno);
    std::map<std::string, WatchedNames> before;
    for (int round = 0; round < kMostRounds; ++round) {
      auto wanted = directories_to_watch(options_.path);
      // What has changed since it was followed came after its watches were there, and has made an event.
      if (round > 0 && wanted == before) break;
      std::map<int, WatchedNames> watches;
      for (const auto& [directory, names] : wanted) {
        const bool files = names.plugins || !names.files.empty();
        const int watch = inotify_->add(directory, files ? kFileEvents : kStepEvents);
        // Gone since: its parent, which comes before it, is watched already.
        if (watch < 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
        if (watch < 0) return refused("it does not watch " + directory, errno);
        watches[watch].add(names);
      }
      for (const auto& [watch, names] : watches_) {
        if (!watches.contains(watch)) inotify_->remove(watch);
      }
      watches_ = std::move(watches);
      before = std::move(wanted);
    }
    warned_ = false;
    return true;
  }

  bool open_inotify() {
    inotify_.emplace();
    Error error(inotify_->fd() < 0 ? errno : 0, boost::system::system_category());
    if (inotify_->fd() >= 0) stream_.assign(inotify_->fd(), error);
    if (!error) {
      wait();
      return true;
    }
    inotify_.reset();
    errno = error.value();
    return false;
  }

  void close_inotify() {
    if (stream_.is_open()) (void)stream_.release();
    inotify_.reset();
  }

  bool refused(const std::string& what, int error) {
    if (std::exchange(warned_, true) || !options_.warn) return false;
    const bool settable = error == ENOSPC || error == EMFILE;
    options_.warn("The system cannot tell of changes in " + options_.path.string() + " (" + what + ": " +
                  std::strerror(error) + "), so it is looked at every " +
                  store::format_duration(options_.fallback_poll) + " until the system can; " +
                  (settable ? "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl, or the "
                              "limit of open files"
                            : "let the host's user read that directory, or set [host] plugins_poll") +
                  ".");
    return false;
  }

  void wait() {
    stream_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](const Error& error) {
      const auto self = weak.lock();
      if (error || !self || self->stopped_) return;
      self->read();
      self->wait();
    });
  }

  void read() {
    bool concerns = false;
    inotify_->read([&](int watch, std::uint32_t events, std::string_view name) {
      if ((events & IN_Q_OVERFLOW) != 0) concerns = true;
      const auto names = watches_.find(watch);
      if (names == watches_.end()) return;  // one that has been given up
      // IN_IGNORED: the directory is gone. Its watch is made anew if there is another.
      concerns |= (events & IN_IGNORED) != 0 || names->second.concern(name);
      if ((events & IN_IGNORED) != 0) watches_.erase(names);
    });
    if (!concerns || std::exchange(gathers_, true)) return;
    gathering_.expires_after(options_.gather);
    gathering_.async_wait([weak = weak_from_this()](const Error& error) {
      const auto self = weak.lock();
      if (!error && self && !self->stopped_) self->tell();
    });
  }

  void tell() {
    gathers_ = false;
    if (!arm() && !picture_) poll_again();
    options_.changed();
  }

  DirectoryWatchOptions options_;
  std::optional<os::Inotify> inotify_;
  boost::asio::posix::stream_descriptor stream_;  // of inotify_, which owns the descriptor
  boost::asio::steady_timer gathering_, polling_;
  std::map<int, WatchedNames> watches_;
  std::optional<DirectoryPicture> picture_;  // there while it polls
  bool gathers_ = false;
  bool warned_ = false;
  bool stopped_ = false;
};

DirectoryWatch::DirectoryWatch(boost::asio::io_context& io, DirectoryWatchOptions options)
    : watching_(std::make_shared<Watching>(io, std::move(options))) {
  watching_->start();
}

DirectoryWatch::~DirectoryWatch() { watching_->stop(); }

}  // namespace perdure::catalog
