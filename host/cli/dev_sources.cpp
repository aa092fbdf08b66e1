#include "host/cli/dev_sources.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <system_error>

#include "host/os/durable_file.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint64_t kLargestSource = std::uint64_t{16} << 20;  // of a larger file time and size must do
constexpr std::array<std::string_view, 3> kMade{".o", ".d", ".pyc"};
constexpr std::string_view kObject("\177ELF");
constexpr std::string_view kArchive("!<arch>");

// Whether a directory holds what a build tool or a host makes for itself, and can make again.
bool is_made(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / "CMakeCache.txt", ignored) || fs::exists(directory / "CACHEDIR.TAG", ignored) ||
         (fs::exists(directory / "secret", ignored) && fs::exists(directory / "store", ignored));
}

}  // namespace

bool DevSources::look() {
  if (inotify_.fd() >= 0) inotify_.read([](int, std::uint32_t, std::string_view) {});
  complete_ = inotify_.fd() >= 0;
  std::map<std::string, Known> found;
  read(directory_, found);
  const bool changed = !looked_ || found != known_;
  looked_ = true;
  known_ = std::move(found);
  return changed;
}

void DevSources::read(const fs::path& directory, std::map<std::string, Known>& found) {
  // Watched before it is read, so that no change is missed; adding the same directory again changes nothing.
  if (complete_ && inotify_.add(directory.string(), kChanges) < 0) complete_ = false;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    const std::string name = path.filename().string();
    if (name.starts_with('.') || name.ends_with('~')) continue;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      if (path != directory_ / "build" && !is_made(path)) read(path, found);
      continue;
    }
    if (S_ISLNK(info.st_mode) && ::stat(path.c_str(), &info) != 0) continue;
    if (!S_ISREG(info.st_mode) || std::ranges::find(kMade, path.extension().string()) != kMade.end()) continue;
    Known file;
    file.modified_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
    file.size = static_cast<std::uint64_t>(info.st_size);
    const auto before = known_.find(path.string());
    if (before != known_.end() && before->second.modified_ns == file.modified_ns && before->second.size == file.size) {
      file.content = before->second.content;
    } else if (std::string text; file.size <= kLargestSource && os::read_file(path.string(), text)) {
      if (text.starts_with(kObject) || text.starts_with(kArchive)) continue;
      file.content = std::hash<std::string>{}(text);
    } else {
      file.content = std::hash<std::int64_t>{}(file.modified_ns);
    }
    found.emplace(path.string(), file);
  }
}

}  // namespace perdure::cli
