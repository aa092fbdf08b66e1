// A file of given bytes that has a path, for what reads files. In memory; gone with the object.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "host/os/unique_fd.h"
#include "tests/fuzz/claim.h"

namespace perdure::fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(memfd_create("fuzzed", MFD_CLOEXEC)) {
    claim(fchmod(fd_.get(), 0600) == 0, "it can be its owner's alone");
    claim(write(fd_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "it can be written");
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  os::UniqueFd fd_;
};

}  // namespace perdure::fuzz
