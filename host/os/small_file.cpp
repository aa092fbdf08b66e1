#include "host/os/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "host/os/unique_fd.h"

namespace perdure::os {

namespace {
constexpr std::size_t kMost = std::size_t{64} << 10;
constexpr std::size_t kPiece = 4096;
}  // namespace

std::string read_small_file(int fd) {
  std::string text;
  while (text.size() < kMost) {
    const std::size_t had = text.size();
    text.resize(had + kPiece);
    const ssize_t got = pread(fd, text.data() + had, kPiece, static_cast<off_t>(had));
    text.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got <= 0) break;
  }
  return text;
}

std::string read_small_file(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd ? read_small_file(fd.get()) : std::string();
}

bool write_small_file(const std::string& path, std::string_view text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace perdure::os
