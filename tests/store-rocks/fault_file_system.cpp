// See fault_file_system.h.
#include "tests/store-rocks/fault_file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace perdure::store::rocks {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
namespace fs = std::filesystem;

constexpr std::uint64_t kPage = 4096;

// "a//b" and "a/b" are the same file.
std::string plain(const std::string& path) { return fs::path(path).lexically_normal().string(); }

std::uint64_t size_of(const std::string& path) {
  std::error_code failed;
  const std::uint64_t size = fs::file_size(path, failed);
  return failed ? 0 : size;
}

}  // namespace

class FaultWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultWritableFile(FaultFileSystem& disk, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    if (IOStatus status = begin_append(data.size()); !status.ok()) return status;
    IOStatus status = rocksdb::FSWritableFileOwnerWrapper::Append(data, options, dbg);
    if (status.ok()) disk_.wrote(path_, data.size());
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/, IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override { return sync(options, dbg); }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override { return sync(options, dbg); }
  // Starts writing back; promises nothing.
  IOStatus RangeSync(std::uint64_t /*offset*/, std::uint64_t /*bytes*/, const IOOptions& /*options*/,
                     IODebugContext* /*dbg*/) override {
    return IOStatus::OK();
  }

 private:
  IOStatus begin_append(std::size_t bytes) {
    if (IOStatus status = disk_.begin_operation(); !status.ok()) return status;
    return disk_.take_space(bytes);
  }
  IOStatus sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
    const std::uint64_t written = disk_.written(path_);
    if (IOStatus status = disk_.begin_operation(); !status.ok()) {
      disk_.sync_failed(path_);
      return status;
    }
    disk_.synced(path_, written);  // our own memory is all that must survive
    return IOStatus::OK();
  }

  FaultFileSystem& disk_;
  std::string path_;
};

class FaultDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultDirectory(FaultFileSystem& disk, std::string path, std::unique_ptr<rocksdb::FSDirectory> directory)
      : rocksdb::FSDirectoryWrapper(std::move(directory)), disk_(disk), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    if (IOStatus status = disk_.begin_operation(); !status.ok()) return status;
    disk_.directory_synced(path_);
    return IOStatus::OK();
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const rocksdb::DirFsyncOptions& /*how*/) override {
    return Fsync(options, dbg);
  }

 private:
  FaultFileSystem& disk_;
  std::string path_;
};

std::uint64_t FaultFileSystem::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

void FaultFileSystem::fail_from(std::uint64_t n) {
  std::lock_guard lock(mutex_);
  fail_from_ = operations_ + n;
  failed_ = false;
}

void FaultFileSystem::at_operation(std::uint64_t n, std::function<void()> then) {
  std::lock_guard lock(mutex_);
  call_at_ = operations_ + n;
  call_ = std::move(then);
}

bool FaultFileSystem::failed() const {
  std::lock_guard lock(mutex_);
  return failed_;
}

void FaultFileSystem::heal() {
  std::lock_guard lock(mutex_);
  fail_from_.reset();
}

void FaultFileSystem::ignore_syncs(bool ignore) {
  std::lock_guard lock(mutex_);
  ignore_syncs_ = ignore;
}

void FaultFileSystem::set_free_space(std::optional<std::uint64_t> bytes) {
  std::lock_guard lock(mutex_);
  space_ = bytes;
}

void FaultFileSystem::cut_power() {
  std::lock_guard lock(mutex_);
  off_ = true;
}

IOStatus FaultFileSystem::begin_operation() {
  std::function<void()> call;
  {
    std::lock_guard lock(mutex_);
    ++operations_;
    if (call_at_ && operations_ == *call_at_) call = std::exchange(call_, {});
  }
  if (call) call();
  std::lock_guard lock(mutex_);
  if (off_) return IOStatus::IOError("the power is off");
  if (fail_from_ && operations_ >= *fail_from_) {
    failed_ = true;
    return IOStatus::IOError("the disk was told to fail");
  }
  return IOStatus::OK();
}

IOStatus FaultFileSystem::take_space(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  if (!space_) return IOStatus::OK();
  if (*space_ < bytes) {
    failed_ = true;
    return IOStatus::NoSpace("the disk was told to be full");
  }
  *space_ -= bytes;
  return IOStatus::OK();
}

void FaultFileSystem::wrote(const std::string& path, std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  files_[path].written += bytes;
}

std::uint64_t FaultFileSystem::written(const std::string& path) const {
  std::lock_guard lock(mutex_);
  auto found = files_.find(path);
  return found == files_.end() ? 0 : found->second.written;
}

void FaultFileSystem::synced(const std::string& path, std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  if (ignore_syncs_) return;
  File& file = files_[path];
  if (file.doubtful) return;
  file.synced = std::max(file.synced, bytes);
}

void FaultFileSystem::sync_failed(const std::string& path) {
  std::lock_guard lock(mutex_);
  files_[path].doubtful = true;
}

void FaultFileSystem::directory_synced(const std::string& directory) {
  std::lock_guard lock(mutex_);
  if (ignore_syncs_) return;
  std::erase_if(unsynced_, [&](const Entry& entry) {
    if (fs::path(entry.path).parent_path() != directory) return false;
    if (entry.kept_as) fs::remove(*entry.kept_as);
    return true;
  });
}

std::optional<std::string> FaultFileSystem::put_aside(const std::string& path) {
  const std::string aside = path + ".aside" + std::to_string(++aside_);
  std::error_code failed;
  fs::rename(path, aside, failed);
  return failed ? std::nullopt : std::optional<std::string>(aside);
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) {
  const std::string path = plain(name);
  if (IOStatus status = begin_operation(); !status.ok()) return status;
  std::unique_ptr<rocksdb::FSWritableFile> real;
  if (IOStatus status = target()->NewWritableFile(path, options, &real, dbg); !status.ok()) return status;
  *file = std::make_unique<FaultWritableFile>(*this, path, std::move(real));
  std::lock_guard lock(mutex_);
  if (!files_.contains(path)) unsynced_.push_back({Entry::Kind::kCreated, path, {}, {}, {}});
  files_[path] = {};
  return IOStatus::OK();
}

IOStatus FaultFileSystem::ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) {
  const std::string path = plain(name);
  if (IOStatus status = begin_operation(); !status.ok()) return status;
  std::unique_ptr<rocksdb::FSWritableFile> real;
  if (IOStatus status = target()->ReopenWritableFile(path, options, &real, dbg); !status.ok()) return status;
  *file = std::make_unique<FaultWritableFile>(*this, path, std::move(real));
  std::lock_guard lock(mutex_);
  if (!files_.contains(path)) files_[path] = {size_of(path), size_of(path)};  // was there before us
  return IOStatus::OK();
}

IOStatus FaultFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* dbg) {
  std::unique_ptr<rocksdb::FSDirectory> real;
  if (IOStatus status = target()->NewDirectory(path, options, &real, dbg); !status.ok()) return status;
  *directory =
      std::make_unique<FaultDirectory>(*this, fs::path(plain(path) + "/").parent_path().string(), std::move(real));
  return IOStatus::OK();
}

IOStatus FaultFileSystem::DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* dbg) {
  const std::string path = plain(name);
  {
    std::lock_guard lock(mutex_);
    if (off_) return IOStatus::IOError("the power is off");
    if (space_) *space_ += size_of(path);
    auto found = files_.find(path);
    if (found != files_.end()) {
      unsynced_.push_back({Entry::Kind::kDeleted, path, {}, put_aside(path), found->second});
      files_.erase(found);
      return IOStatus::OK();
    }
  }
  return target()->DeleteFile(path, options, dbg);
}

IOStatus FaultFileSystem::RenameFile(const std::string& from_name, const std::string& to_name, const IOOptions& options,
                                     IODebugContext* dbg) {
  const std::string from = plain(from_name), to = plain(to_name);
  if (IOStatus status = begin_operation(); !status.ok()) return status;
  std::lock_guard lock(mutex_);
  Entry entry{Entry::Kind::kRenamed, from, to, {}, {}};
  if (fs::exists(to)) {
    entry.kept_as = put_aside(to);
    auto replaced = files_.find(to);
    entry.file = replaced != files_.end() ? replaced->second : File{size_of(*entry.kept_as), size_of(*entry.kept_as)};
  }
  if (IOStatus status = target()->RenameFile(from, to, options, dbg); !status.ok()) return status;
  if (auto moved = files_.find(from); moved != files_.end()) {
    files_[to] = moved->second;
    files_.erase(from);
  }
  unsynced_.push_back(std::move(entry));
  return IOStatus::OK();
}

IOStatus FaultFileSystem::GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* bytes,
                                       IODebugContext* dbg) {
  {
    std::lock_guard lock(mutex_);
    if (space_) {
      *bytes = *space_;
      return IOStatus::OK();
    }
  }
  return target()->GetFreeSpace(path, options, bytes, dbg);
}

void FaultFileSystem::undo(const Entry& entry) {
  switch (entry.kind) {
    case Entry::Kind::kCreated:
      fs::remove(entry.path);
      files_.erase(entry.path);
      return;
    case Entry::Kind::kRenamed:
      fs::rename(entry.to, entry.path);
      files_[entry.path] = files_[entry.to];
      files_.erase(entry.to);
      if (entry.kept_as) {
        fs::rename(*entry.kept_as, entry.to);
        files_[entry.to] = entry.file;
      }
      return;
    case Entry::Kind::kDeleted:
      if (entry.kept_as) fs::rename(*entry.kept_as, entry.path);
      files_[entry.path] = entry.file;
      return;
  }
}

// Of what was not synced a prefix is left; sometimes its last page holds something else, as after a torn write.
void FaultFileSystem::tear(const std::string& path, const File& file, std::mt19937_64& random) {
  const std::uint64_t size = size_of(path);
  if (size <= file.synced) return;
  const std::uint64_t left = file.synced + random() % (size - file.synced + 1);
  fs::resize_file(path, left);
  if (left == file.synced || random() % 3 != 0) return;
  const std::uint64_t garbage = std::min<std::uint64_t>(left - file.synced, 1 + random() % kPage);
  std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(left - garbage));
  const bool zeros = random() % 2 == 0;
  for (std::uint64_t i = 0; i < garbage; ++i) bytes.put(zeros ? '\0' : static_cast<char>(random()));
}

void FaultFileSystem::lose_unsynced(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::lock_guard lock(mutex_);
  const std::size_t kept = random() % (unsynced_.size() + 1);
  for (std::size_t i = unsynced_.size(); i-- > kept;) undo(unsynced_[i]);
  for (std::size_t i = 0; i < kept; ++i) {
    if (unsynced_[i].kept_as) fs::remove(*unsynced_[i].kept_as);
  }
  unsynced_.clear();
  for (const auto& [path, file] : files_) tear(path, file, random);
  files_.clear();  // what is there now is durable
  off_ = ignore_syncs_ = false;
  fail_from_.reset();
  call_at_.reset();
  call_ = {};
}

}  // namespace perdure::store::rocks
