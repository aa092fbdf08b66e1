#include "host/os/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "host/os/unique_fd.h"

namespace perdure::os {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// A directory below another, made accessible to its owner, who may have forbidden himself to look into it.
UniqueFd open_inside(int parent, const char* name) {
  UniqueFd inside(openat(parent, name, kDirectory));
  if (!inside && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0) {
    inside = UniqueFd(openat(parent, name, kDirectory));
  }
  if (inside) (void)fchmod(inside.get(), 0700);
  return inside;
}

// Calls `each` with every name in the directory, until it says false. False when the directory cannot be read.
template <class Each>
bool list(int directory, Each each) {
  const int again = openat(directory, ".", kDirectory);  // a position of its own, at the beginning
  const std::unique_ptr<DIR, int (*)(DIR*)> names(again < 0 ? nullptr : fdopendir(again), closedir);
  if (!names) return false;
  while (const dirent* entry = readdir(names.get())) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (!each(entry->d_name)) break;
  }
  return true;
}

bool removed(int parent, const char* name) {
  return unlinkat(parent, name, 0) == 0 || unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

struct Work {
  std::uint64_t done = 0;   // entries that were removed or moved
  std::uint64_t names = 0;  // given to what was moved
};

// Takes one level away: what is in the directory `name` is removed, but directories with something in them, which come
// beside it. So depth never matters.
bool flatten(int top, const char* name, Work& work, const std::function<bool()>& go_on) {
  const UniqueFd inside = open_inside(top, name);
  if (!inside) return false;
  list(inside.get(), [&](const char* entry) {
    if (!go_on()) return false;
    if (removed(inside.get(), entry)) return ++work.done > 0;
    (void)open_inside(inside.get(), entry);  // a directory must be writable to get another parent
    for (int tries = 0; tries < 1000; tries++) {
      const std::string beside = "." + std::to_string(work.names++);
      if (renameat(inside.get(), entry, top, beside.c_str()) == 0) return ++work.done > 0;
      if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) break;
    }
    return true;
  });
  return unlinkat(top, name, AT_REMOVEDIR) == 0;
}

}  // namespace

bool clear_directory(int directory, const std::function<bool()>& go_on) {
  (void)fchmod(directory, 0700);
  Work work;
  for (;;) {
    bool stopped = false;
    std::uint64_t seen = 0;
    const std::uint64_t before = work.done;
    const bool read = list(directory, [&](const char* entry) {
      stopped = !go_on();
      if (stopped) return false;
      seen++;
      if (removed(directory, entry) || flatten(directory, entry, work, go_on)) work.done++;
      return true;
    });
    if (!read || stopped) return false;
    if (seen == 0) return true;
    if (work.done == before) return false;
  }
}

}  // namespace perdure::os
