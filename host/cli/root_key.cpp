#include "host/cli/root_key.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "host/os/unique_fd.h"

namespace perdure::cli {
namespace {

using os::UniqueFd;
using store::Result;
using store::Status;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLongestKey = 512;

Status failed(const std::string& doing, const std::string& path) {
  const int error = errno;
  const std::string message = "cannot " + doing + " " + path + ": " + std::strerror(error);
  return error == ENOSPC ? Status::no_space(message) : Status::io(message);
}

Result<std::string> read_key(int descriptor, const std::string& path) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return failed("read", path);
  if ((about.st_mode & 077) != 0) {
    return Status::invalid("the key in " + path + " may be read by others; make it yours alone with: chmod 600 " +
                           path);
  }
  std::array<char, kLongestKey> buffer{};
  const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
  if (got < 0) return failed("read", path);
  std::string key(buffer.data(), static_cast<std::size_t>(got));
  key.erase(key.find_last_not_of(" \t\r\n") + 1);
  if (key.size() < 16 || key.find_first_of(" \t\r\n") != std::string::npos) {
    return Status::invalid(path +
                           " holds no key (one line of at least 16 characters); delete it and a new one is made");
  }
  return key;
}

Result<std::string> new_key() {
  std::array<unsigned char, kKeyBytes> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return Status::io(std::string("no random bytes for the key: ") + std::strerror(errno));
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string key = "tr_prod_";
  for (const unsigned char byte : random) {
    key += kHex[byte >> 4];
    key += kHex[byte & 15];
  }
  return key;
}

// Written beside and renamed, so that nobody finds half a key.
Status write_key(const std::string& key, const std::string& directory, const std::string& path) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const UniqueFd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return failed("write", beside);
  const std::string text = key + "\n";
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0) {
    return failed("write", beside);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("write", path);
  const UniqueFd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) return failed("sync", directory);
  return Status::ok();
}

}  // namespace

Result<std::string> root_key(const std::string& data_directory) {
  const std::string path = data_directory + "/secret";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() >= 0) return read_key(file.get(), path);
  if (errno != ENOENT) return failed("read", path);
  auto key = new_key();
  if (!key) return key;
  if (Status written = write_key(key.value(), data_directory, path); !written) return written;
  return key;
}

}  // namespace perdure::cli
