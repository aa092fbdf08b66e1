#include "host/catalog/settled_files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "host/os/unique_fd.h"

namespace perdure::catalog {
namespace {

// There a lease says what the server grants, not whether anybody writes.
bool is_remote(int fd) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0) return true;
  switch (static_cast<std::uint32_t>(info.f_type)) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case CEPH_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case AFS_FS_MAGIC:
    case CODA_SUPER_MAGIC:
    case V9FS_MAGIC:
    case FUSE_SUPER_MAGIC:
      return true;
    default:
      return false;
  }
}

store::Time time_of(std::int64_t nanoseconds) {
  return store::Time(std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace

Writer writer_of(const std::filesystem::path& path) {
  const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file || is_remote(file.get())) return Writer::kUnknown;
  // Who opens the file for writing in this moment has the kernel tell us to give the lease up: by SIGIO, which would
  // end the host, if not by another signal. This one is ignored by default.
  if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return Writer::kUnknown;
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN ? Writer::kOpen : Writer::kUnknown;
  ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return Writer::kNone;
}

SettledFiles::SettledFiles(SettledFilesOptions options) : options_(std::move(options)) {
  if (!options_.writer_of) options_.writer_of = writer_of;
}

SettledFiles::Look SettledFiles::look(const std::map<std::filesystem::path, FileSignature>& present, store::Time now) {
  std::erase_if(seen_, [&](const auto& file) { return !present.contains(file.first); });
  Look look;
  const auto look_again = [&](store::Time when) { look.again = std::min(look.again.value_or(when), when); };
  for (const auto& [path, signature] : present) {
    const auto [at, first_time] = seen_.try_emplace(path);
    Seen& file = at->second;
    if (first_time || file.signature != signature) {
      // A copy may give the file an older modification time at its end, but nothing sets the other back.
      const store::Time touched = time_of(std::max(signature.modified_ns, signature.changed_ns));
      file = Seen{.signature = signature,
                  .since = first_time ? std::min(touched, now) : now,
                  .settled = false,
                  .wait = options_.settle};
    }
    Verdict& verdict = look.files[path];
    verdict.settled = file.settled;
    if (file.settled) continue;
    file.since = std::min(file.since, now);  // the clock was set back
    if (now - file.since < options_.settle) {
      verdict.why = "It has just changed, and is loaded once it has been the same for a moment.";
      look_again(file.since + options_.settle);
      continue;
    }
    if (options_.writer_of(path) == Writer::kOpen) {
      verdict.why = "It is still open for writing in another process, and is loaded once it is closed.";
      look_again(now + file.wait);
      file.wait = std::min(2 * file.wait, options_.longest_wait);
      continue;
    }
    verdict.settled = file.settled = true;
  }
  return look;
}

}  // namespace perdure::catalog
