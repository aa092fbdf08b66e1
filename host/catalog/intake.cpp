#include "host/catalog/intake.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "host/catalog/plugin_copies.h"

namespace perdure::catalog {
namespace {

// A copy that is older and was not finished is one that a host that died was making.
constexpr std::chrono::hours kStale{1};

}  // namespace

Intake::Intake(boost::asio::io_context& io, IntakeOptions options)
    : io_(io), options_(std::move(options)), reader_(options_.directory), timer_(io) {
  if (options_.poll == std::chrono::milliseconds(0)) {
    watch_ = std::make_unique<DirectoryWatch>(
        io, DirectoryWatchOptions{
                .path = options_.directory.plugins, .changed = [this] { read(); }, .warn = options_.warn});
  }
  read();
}

Intake::~Intake() { worker_.join(); }

void Intake::read() {
  if (std::exchange(reading_, true)) {
    again_ = true;
    return;
  }
  boost::asio::post(worker_, [this, alive = std::weak_ptr(alive_)] {
    auto scan = std::make_shared<store::Result<DirectoryReader::Scan>>(reader_.scan());
    boost::asio::post(io_, [this, alive, scan] {
      if (!alive.expired()) have_read(std::move(*scan));
    });
  });
}

void Intake::read_again(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& canceled) {
    if (!canceled) read();
  });
}

void Intake::have_read(store::Result<DirectoryReader::Scan> scan) {
  reading_ = false;
  timer_.cancel();
  if (options_.poll > std::chrono::milliseconds(0)) read_again(options_.poll);
  if (scan) {
    unreadable_ = false;
    if (scan->again) read_again(*scan->again);
    options_.found(std::move(scan->plugins));
  } else if (!std::exchange(unreadable_, true)) {
    options_.found(scan.status());
  }
  if (std::exchange(again_, false)) read();
}

void Intake::prune(std::set<store::VersionId> keep) {
  boost::asio::post(worker_, [this, keep = std::move(keep)]() mutable {
    keep.merge(reader_.present());  // what was copied and not told of yet
    const auto now = std::chrono::time_point_cast<store::Duration>(std::chrono::system_clock::now());
    const std::filesystem::path& cache = options_.directory.cache;
    (void)remove_copies(removable_copies(cache, keep, now - kStale));  // what stays is tried again the next time
  });
}

}  // namespace perdure::catalog
