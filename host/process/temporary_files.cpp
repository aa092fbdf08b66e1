#include "host/process/temporary_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "host/os/remove_tree.h"
#include "host/os/unique_fd.h"

namespace perdure::process {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLastWork{2000};
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// A name in `left` that nothing has.
std::string unused(const std::string& left, const std::string& name) {
  std::string path = left + '/' + name;
  std::error_code failed;
  for (int i = 1; fs::exists(fs::symlink_status(path, failed)); i++) path = left + '/' + name + '-' + std::to_string(i);
  return path;
}

}  // namespace

TemporaryFiles::TemporaryFiles(std::string directory, bool passable, std::function<void(const std::string&)> warn,
                               const std::vector<std::string>& in_use)
    : directory_(std::move(directory)), left_(directory_ + "/left"), warn_(std::move(warn)) {
  if (directory_.empty()) return;
  std::error_code failed;
  fs::create_directories(left_, failed);
  (void)chmod(directory_.c_str(), passable ? 0711 : 0700);
  (void)chmod(left_.c_str(), 0700);
  // Of a host before this one.
  for (const auto& entry : fs::directory_iterator(directory_, failed)) {
    if (entry.path() == left_ || std::ranges::find(in_use, entry.path().string()) != in_use.end()) continue;
    const std::string to = unused(left_, entry.path().filename().string());
    (void)rename(entry.path().c_str(), to.c_str());
  }
  if (fs::directory_iterator(left_, failed) != fs::directory_iterator()) left();
}

TemporaryFiles::~TemporaryFiles() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (remover_.joinable()) remover_.join();
  if (directory_.empty()) return;
  const auto deadline = std::chrono::steady_clock::now() + kLastWork;
  const auto go_on = [deadline] { return std::chrono::steady_clock::now() < deadline; };
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory_, failed)) {
    const std::string path = entry.path().string();
    if (std::ranges::find(kept_, path) != kept_.end()) continue;
    const os::UniqueFd directory(open(path.c_str(), kDirectory));
    if (directory && os::clear_directory(directory.get(), go_on)) (void)rmdir(path.c_str());
  }
}

std::string TemporaryFiles::next_zygote() {
  if (directory_.empty()) return {};
  std::string path;
  std::error_code failed;
  do {  // one that outlived its host keeps its own
    path = directory_ + "/z" + std::to_string(next_++);
  } while (fs::exists(fs::symlink_status(path, failed)));
  return path;
}

void TemporaryFiles::zygote_died(const std::string& path) {
  if (path.empty()) return;
  if (rmdir(path.c_str()) == 0) return;
  const std::string to = unused(left_, fs::path(path).filename().string());
  if (rename(path.c_str(), to.c_str()) == 0) left();
}

void TemporaryFiles::left() {
  {
    const std::lock_guard lock(mutex_);
    more_ = true;
  }
  changed_.notify_one();
  if (remover_.joinable()) return;
  try {
    remover_ = std::thread([this] { remove_all(); });
  } catch (const std::system_error&) {  // no thread can be had now; the next one's chance
  }
}

void TemporaryFiles::remove_all() {
  std::set<std::string> hopeless;  // told once
  const auto go_on = [this] { return !ending_; };
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return more_ || ending_; });
      if (ending_) return;
      more_ = false;
    }
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(left_, failed)) {
      const std::string path = entry.path().string();
      if (unlink(path.c_str()) == 0) continue;
      const os::UniqueFd directory(open(path.c_str(), kDirectory));
      const bool cleared = directory && os::clear_directory(directory.get(), go_on);
      if (ending_) return;
      if (cleared && rmdir(path.c_str()) == 0) continue;
      if (hopeless.insert(path).second) {
        warn_("what an attempt left in its temporary directory cannot be removed: " + path + ": " + strerror(errno));
      }
    }
  }
}

}  // namespace perdure::process
