#include "host/os/path_walk.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

namespace perdure::os {
namespace {

constexpr int kMostLinks = 40;  // as the kernel allows

// Puts the parts of `path` before those that are still to be followed.
void prepend(const std::string& path, std::deque<std::string>& rest) {
  std::deque<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    if (slash > at) parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  rest.insert(rest.begin(), parts.begin(), parts.end());
}

std::string parent_of(const std::string& directory) {
  const auto slash = directory.rfind('/');
  return slash == 0 ? "/" : directory.substr(0, slash);
}

bool read_link(const std::string& path, std::string& target) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  if (size >= 0) target.assign(text.data(), static_cast<std::size_t>(size));
  return size >= 0;
}

}  // namespace

PathWalk walk_path(const std::string& path) {
  PathWalk walk;
  std::deque<std::string> rest;
  prepend(path, rest);
  if (!path.starts_with('/')) {
    std::array<char, PATH_MAX> here;
    if (::getcwd(here.data(), here.size()) == nullptr) {
      walk.error = errno;
      return walk;
    }
    prepend(here.data(), rest);
  }
  std::string at = "/";
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      at = parent_of(at);
      continue;
    }
    walk.lookups.push_back({at, name, rest.empty()});
    const std::string next = at == "/" ? "/" + name : at + "/" + name;
    struct stat info {};
    if (::lstat(next.c_str(), &info) != 0) {
      walk.error = errno;
      return walk;
    }
    if (!S_ISLNK(info.st_mode)) {
      at = next;
      continue;
    }
    std::string target;
    if (++links > kMostLinks || !read_link(next, target)) {
      walk.error = links > kMostLinks ? ELOOP : errno;
      return walk;
    }
    if (target.starts_with('/')) at = "/";
    prepend(target, rest);
  }
  walk.end = at;
  return walk;
}

}  // namespace perdure::os
