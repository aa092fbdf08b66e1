#include "host/catalog/file_signature.h"

#include <sys/stat.h>

namespace perdure::catalog {
namespace {

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

std::optional<FileSignature> file_signature(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileSignature{.device = info.st_dev,
                       .inode = info.st_ino,
                       .size = static_cast<std::uint64_t>(info.st_size),
                       .modified_ns = nanoseconds(info.st_mtim),
                       .changed_ns = nanoseconds(info.st_ctim),
                       .mode = info.st_mode,
                       .owner = info.st_uid};
}

}  // namespace perdure::catalog
