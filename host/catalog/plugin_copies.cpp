#include "host/catalog/plugin_copies.h"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <system_error>

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;

bool is_version(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_stale(const fs::path& temporary, store::Time before) {
  struct stat info {};
  if (::lstat(temporary.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  return store::Time(std::chrono::seconds(info.st_mtim.tv_sec)) < before;
}

}  // namespace

std::optional<fs::path> find_copy(const fs::path& cache, const store::VersionId& version, const std::string& name) {
  std::optional<fs::path> found;
  std::error_code error;
  const fs::path directory = cache / version.text();
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".so") continue;
    if (it->path().filename() == name) return it->path();
    if (!found || it->path() < *found) found = it->path();
  }
  return found;
}

std::vector<fs::path> removable_copies(const fs::path& cache, const std::set<store::VersionId>& needed,
                                       store::Time stale_before) {
  std::vector<fs::path> removable;
  std::error_code error;
  for (fs::directory_iterator it(cache, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool unneeded = is_version(name) && !needed.contains(store::VersionId(name));
    if (unneeded || (name.starts_with(".copy-") && is_stale(it->path(), stale_before))) removable.push_back(it->path());
  }
  std::ranges::sort(removable);
  return removable;
}

store::Status remove_copies(const std::vector<fs::path>& copies) {
  store::Status status;
  for (const fs::path& copy : copies) {
    std::error_code error;
    fs::remove_all(copy, error);
    if (error && status) {
      status = store::Status::io("Could not remove " + copy.string() +
                                 ", which no run needs any more: " + error.message() + ".");
    }
  }
  return status;
}

}  // namespace perdure::catalog
