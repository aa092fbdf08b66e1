// Replacing a small file so that, whatever happens, either the old or the new content is there afterwards. Functions
// without state; any thread, but only one at a time for the same file.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace perdure::os {

/// Writes PATH.new, syncs it, renames it to PATH and syncs the directory. False with errno set: PATH is as it was,
/// unless it was the last sync that failed. A PATH.new left by a crash is overwritten.
[[nodiscard]] bool replace_file(const std::string& path, std::string_view content, mode_t mode);

/// The whole of a file. False with errno set.
[[nodiscard]] bool read_file(const std::string& path, std::string& content);

}  // namespace perdure::os
