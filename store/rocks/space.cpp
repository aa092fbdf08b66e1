// See space.h.
#include "store/rocks/space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace perdure::store::rocks {
namespace {

// What closing and opening again takes beside the log's contents as tables: a manifest, the next log.
constexpr std::uint64_t kReopenBytes = std::uint64_t{4} << 20;

std::uint64_t disk_bytes(const std::string& directory) {
  struct statvfs disk {};
  return ::statvfs(directory.c_str(), &disk) == 0 ? static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize : 0;
}

}  // namespace

Space::Space(SpaceOptions options, std::string directory, std::shared_ptr<rocksdb::FileSystem> files)
    : options_(options),
      directory_(std::move(directory)),
      files_(std::move(files)),
      reserve_(std::max(
          options.reserve_bytes,
          static_cast<std::uint64_t>(options.reserve_fraction * static_cast<double>(disk_bytes(directory_))))) {}

std::uint64_t Space::free_bytes() const {
  std::uint64_t bytes = 0;
  const bool known = files_->GetFreeSpace(directory_, {}, &bytes, nullptr).ok();
  return known ? bytes : std::numeric_limits<std::uint64_t>::max();
}

bool Space::may_grow() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto checked = std::chrono::steady_clock::duration(checked_.load(std::memory_order_relaxed));
  if (now - checked >= options_.check_every) {
    checked_.store(now.count(), std::memory_order_relaxed);
    may_grow_.store(free_bytes() >= reserve_, std::memory_order_relaxed);
  }
  return may_grow_.load(std::memory_order_relaxed);
}

bool Space::may_reopen(std::uint64_t bytes) {
  std::lock_guard lock(ballast_);
  if (free_bytes() >= bytes + kReopenBytes) return true;
  if (::unlink(ballast_path().c_str()) != 0) return false;
  return free_bytes() >= bytes + kReopenBytes;
}

void Space::restore_ballast() {
  std::lock_guard lock(ballast_);
  struct stat there {};
  if (options_.ballast_bytes == 0 || ::stat(ballast_path().c_str(), &there) == 0) return;
  if (free_bytes() < reserve_ + 2 * options_.ballast_bytes) return;
  const int descriptor = ::open(ballast_path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  const bool taken = ::posix_fallocate(descriptor, 0, static_cast<off_t>(options_.ballast_bytes)) == 0;
  ::close(descriptor);
  if (!taken) ::unlink(ballast_path().c_str());
}

}  // namespace perdure::store::rocks
