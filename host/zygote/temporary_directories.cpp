#include "host/zygote/temporary_directories.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <utility>

#include "host/os/remove_tree.h"

namespace perdure::zygote {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::uint32_t kMostTries = 1000;

// File systems note times in ticks; a change within the tick of the one before would not show.
constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kCoarseTick{2500};  // of those that note seconds

// "TMPDIR=…/7", part of the environment. Beside other things that every child writes to.
char variable[4096];
char* own_name = nullptr;  // where the number is in it; null: TMPDIR is not ours
TemporaryDirectory own;

std::chrono::nanoseconds since_epoch(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool is_settled(const timespec& changed) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return since_epoch(now) - since_epoch(changed) > (changed.tv_nsec == 0 ? kCoarseTick : kTick);
}

// Whether nothing was done to the directory since it was found empty. Its change time cannot be set by anyone.
bool is_untouched(const char* path, const TemporaryDirectory& before) {
  struct stat now {};
  return before.settled && lstat(path, &now) == 0 && now.st_ino == before.inode &&
         now.st_ctim.tv_sec == before.changed.tv_sec && now.st_ctim.tv_nsec == before.changed.tv_nsec;
}

// Whether the directory open as `fd` is empty and as make() made it; notes how it looks then.
bool is_as_made(int fd, uid_t owner, TemporaryDirectory& directory) {
  struct stat now {};
  if (fstat(fd, &now) != 0 || now.st_uid != owner || (now.st_mode & 07777) != 0700) return false;
  alignas(8) char entries[512];
  long size = 0;
  bool empty = true;
  while (empty && (size = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size;) {
      std::uint16_t length = 0;
      memcpy(&length, entries + at + 16, sizeof length);
      const char* name = entries + at + 19;
      empty = empty && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0);
      at += length;
    }
  }
  if (!empty || size < 0) return false;
  directory.inode = now.st_ino;
  directory.changed = now.st_ctim;
  return true;
}

}  // namespace

TemporaryDirectories::TemporaryDirectories(std::string parent, std::optional<User> user)
    : parent_(std::move(parent)), user_(user) {
  if (parent_.empty() || parent_.size() + 32 > sizeof variable) return;
  (void)mkdir(parent_.c_str(), user_ ? 0711 : 0700);
  const int size = snprintf(variable, sizeof variable, "TMPDIR=%s/", parent_.c_str());
  own_name = variable + size;
  own_name[0] = '0';
  putenv(variable);
  idle_.reserve(128);
}

std::string TemporaryDirectories::path(const TemporaryDirectory& directory) const {
  return own_name == nullptr ? std::string() : parent_ + '/' + std::to_string(directory.number);
}

TemporaryDirectory TemporaryDirectories::take() {
  TemporaryDirectory directory;
  if (own_name == nullptr) return directory;
  if (idle_.empty()) return make(directory) ? directory : TemporaryDirectory{};
  directory = idle_.back();
  idle_.pop_back();
  directory.settled = is_settled(directory.changed);
  return directory;
}

bool TemporaryDirectories::give_back(const TemporaryDirectory& directory) {
  if (directory.number == 0) return false;
  const std::string name = path(directory);
  if (is_untouched(name.c_str(), directory)) {
    idle_.push_back(directory);
    return false;
  }
  const int fd = open(name.c_str(), kDirectory);
  TemporaryDirectory again{directory.number, 0, {}, false};
  const bool good = fd >= 0 && is_as_made(fd, user_ ? user_->uid : geteuid(), again);
  if (fd >= 0) close(fd);
  if (good) {
    idle_.push_back(again);
    return false;
  }
  const std::size_t slash = parent_.rfind('/');
  const std::string left =
      parent_.substr(0, slash) + "/left" + parent_.substr(slash) + '.' + std::to_string(directory.number);
  return rename(name.c_str(), left.c_str()) == 0;
}

bool TemporaryDirectories::make(TemporaryDirectory& directory) {
  for (std::uint32_t tries = 0; tries < kMostTries; tries++) {
    directory.number = ++made_;
    const std::string name = path(directory);
    if (mkdir(name.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return false;
    }
    if (user_ && chown(name.c_str(), user_->uid, user_->gid) != 0) return false;
    struct stat made {};
    if (lstat(name.c_str(), &made) != 0) return false;
    directory.inode = made.st_ino;
    directory.changed = made.st_ctim;
    directory.settled = false;
    return true;
  }
  return false;
}

void enter_temporary_directory(const TemporaryDirectory& directory) {
  if (own_name == nullptr) return;
  const auto [end, error] = std::to_chars(own_name, variable + sizeof variable - 1, directory.number);
  if (error == std::errc()) *end = '\0';
  own = directory;
}

void enter_temporary_directory(const std::string& path) {
  if (path.empty() || path.size() + 8 > sizeof variable) return;
  snprintf(variable, sizeof variable, "TMPDIR=%s", path.c_str());
  own_name = variable + strlen("TMPDIR=");
  putenv(variable);
  own.number = 1;
}

void clear_temporary_directory() {
  if (own_name == nullptr || own.number == 0) return;
  const char* const path = variable + strlen("TMPDIR=");
  if (is_untouched(path, own)) return;
  const int fd = open(path, kDirectory);
  if (fd < 0) return;
  own.settled = false;
  if (!is_as_made(fd, geteuid(), own)) {
    (void)os::clear_directory(fd, [] { return true; });
    (void)lseek(fd, 0, SEEK_SET);
    (void)is_as_made(fd, geteuid(), own);
  }
  own.settled = is_settled(own.changed);
  close(fd);
}

}  // namespace perdure::zygote
