#include "host/catalog/plugin_cache.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "host/os/unique_fd.h"

namespace perdure::catalog {

namespace {

using os::UniqueFd;
using store::Status;

Status failed(const std::string& doing, const std::filesystem::path& path) {
  return Status::io("Could not " + doing + " " + path.string() + ": " + std::strerror(errno) + ".");
}

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const char* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += kDigits[digest[i] >> 4];
      text += kDigits[digest[i] & 15];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// Hashes all of `from`, writing it to `to` as well where that is not -1. nullopt: errno says why not.
std::optional<std::string> hash(int from, int to) {
  Sha256 sum;
  std::array<char, 1u << 16> buffer{};
  for (;;) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return sum.hex();
    sum.add(buffer.data(), static_cast<std::size_t>(n));
    if (to >= 0 && !write_all(to, buffer.data(), static_cast<std::size_t>(n))) return std::nullopt;
  }
}

bool holds(const std::filesystem::path& path, const std::string& sum) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.get() >= 0 && hash(file.get(), -1) == sum;
}

void sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());
}

}  // namespace

store::Result<store::VersionId> version_of(const std::filesystem::path& file) {
  const UniqueFd source(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (source.get() < 0) return failed("open the plugin file", file);
  const std::optional<std::string> sum = hash(source.get(), -1);
  if (!sum) return failed("read the plugin file", file);
  return store::VersionId(*sum);
}

store::Result<CachedPlugin> cache_plugin(const std::filesystem::path& file, const std::filesystem::path& cache) {
  // Without O_NONBLOCK a named pipe in the plugin directory would hold the host up.
  const UniqueFd source(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (source.get() < 0) return failed("open the plugin file", file);
  struct stat info {};
  if (::fstat(source.get(), &info) != 0) return failed("examine the plugin file", file);
  if (!S_ISREG(info.st_mode))
    return Status::invalid(file.string() + " is not a regular file; a plugin is a shared object.");

  std::error_code error;
  std::filesystem::create_directories(cache, error);
  if (error) return Status::io("Could not make the directory " + cache.string() + ": " + error.message() + ".");
  std::string temporary = (cache / ".copy-XXXXXX").string();
  const UniqueFd copy(::mkostemp(temporary.data(), O_CLOEXEC));
  if (copy.get() < 0) return failed("make a copy of the plugin in", cache);
  const auto fail = [&](const std::string& doing, const std::filesystem::path& path) {
    const Status status = failed(doing, path);
    ::unlink(temporary.c_str());
    return status;
  };
  const std::optional<std::string> sum = hash(source.get(), copy.get());
  if (!sum) return fail("copy the plugin file", file);
  const std::filesystem::path directory = cache / *sum;
  const std::filesystem::path path = directory / file.filename();
  if (holds(path, *sum)) {
    ::unlink(temporary.c_str());
    return CachedPlugin{store::VersionId(*sum), path};
  }
  if (::fchmod(copy.get(), 0444) != 0 || ::fsync(copy.get()) != 0) return fail("finish the copy", temporary);
  std::filesystem::create_directories(directory, error);
  (void)::chmod(directory.c_str(), 0755);  // attempts of another user read it; who may come so far, the cache decides
  if (error || ::rename(temporary.c_str(), path.c_str()) != 0) return fail("put the copy in place as", path);
  sync_directory(directory);
  sync_directory(cache);
  return CachedPlugin{store::VersionId(*sum), path};
}

}  // namespace perdure::catalog
