// The files through which the kernel tells and is told things, in /proc and /sys: short texts, read and written whole.
// Functions without state; any thread.
#pragma once

#include <string>
#include <string_view>

namespace perdure::os {

/// Up to 64 KiB of the file; empty, with errno set, when it cannot be read.
std::string read_small_file(const std::string& path);
/// Reads an open one from its beginning.
std::string read_small_file(int fd);
/// Writes in one go; false with errno set.
bool write_small_file(const std::string& path, std::string_view text);

}  // namespace perdure::os
