// Where core files are kept: one directory, which they may not fill.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <system_error>
#include <vector>

#include "host/os/unique_fd.h"
#include "host/process/core_file.h"

namespace perdure::process {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTime{5};        // the crashed process does not wait for ever
constexpr std::chrono::minutes kAbandoned{10};  // one that nobody writes any more
constexpr const char* kUnfinished = ".part";

struct Kept {
  fs::path path;
  fs::file_time_type at;
  std::uint64_t bytes;
};

// On the disk: what was never written takes no room.
std::uint64_t bytes_of(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
}

// Removes the oldest, but not `newest`, until all together have no more than `most` bytes; and what a writer that was
// killed left behind.
void make_room(const fs::path& newest, std::uint64_t most) {
  std::vector<Kept> all;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator it(newest.parent_path(), error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    const fs::file_time_type at = fs::last_write_time(it->path(), gone);
    if (gone) continue;
    if (it->path().extension() == kUnfinished) {
      if (at + kAbandoned < fs::file_time_type::clock::now()) fs::remove(it->path(), gone);
      continue;
    }
    all.push_back({it->path(), at, bytes_of(it->path())});
    bytes += all.back().bytes;
  }
  std::ranges::sort(all, {}, &Kept::at);
  for (const Kept& each : all) {
    if (bytes <= most) break;
    if (each.path == newest) continue;
    fs::remove(each.path, error);
    bytes -= each.bytes;
  }
}

std::string failed(const std::string& why) { return boost::json::serialize(boost::json::object{{"error", why}}); }

}  // namespace

std::string keep_core(pid_t pid, pid_t tid, const CoreWanted& asked) {
  const fs::path path(asked.path), unfinished(asked.path + kUnfinished);
  const auto deadline = std::chrono::steady_clock::now() + kTime;
  if (mkdir(path.parent_path().c_str(), 0700) != 0 && errno != EEXIST) {
    return failed("the directory " + path.parent_path().string() + " cannot be made: " + strerror(errno));
  }
  CoreWanted wanted = asked;
  std::error_code unknown;
  const fs::space_info space = fs::space(path.parent_path(), unknown);
  if (!unknown) wanted.size = std::min<std::uint64_t>(wanted.size, space.available / 2);
  os::UniqueFd file(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed("the file " + unfinished.string() + " cannot be made: " + strerror(errno));
  std::string why;
  const std::optional<CoreWritten> written = write_core(pid, tid, wanted, file.get(), deadline, why);
  file.reset();
  if (written && rename(unfinished.c_str(), path.c_str()) != 0) {
    why = "the file " + path.string() + " cannot be made: " + strerror(errno);
  }
  if (!written || !why.empty()) {
    fs::remove(unfinished, unknown);
    return failed(why);
  }
  make_room(path, wanted.all);
  return boost::json::serialize(
      boost::json::object{{"path", path.string()}, {"bytes", written->bytes}, {"complete", written->complete}});
}

}  // namespace perdure::process
