// What tells a file's content from an earlier one without reading it. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace perdure::catalog {

struct FileSignature {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  // mtime, ctime: since the epoch
  mode_t mode = 0;                               // type and permissions
  uid_t owner = 0;
  bool operator==(const FileSignature&) const = default;
};

/// Of the file that `path` leads to, symbolic links followed. nullopt: it cannot be examined; errno says why.
std::optional<FileSignature> file_signature(const std::filesystem::path& path);

}  // namespace perdure::catalog
