#include "host/catalog/directory_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "host/os/unique_fd.h"

namespace perdure::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a file is looked at again that somebody holds open for writing.
constexpr milliseconds kWriterPause{500};

enum class Writer : std::uint8_t { kNone, kOpen, kUnknown };

// Whether somebody has the file open for writing. A read lease is only given when nobody has; where leases cannot be
// had (another's file, a network), nobody can tell, and the file's times must do.
Writer writer_of(const std::filesystem::path& file) {
  const os::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return Writer::kUnknown;
  if (::fcntl(fd.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN ? Writer::kOpen : Writer::kUnknown;
  ::fcntl(fd.get(), F_SETLEASE, F_UNLCK);
  return Writer::kNone;
}

// How long ago the file's times say it changed; one from the future changed just now.
milliseconds age(std::int64_t changed) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto old = std::chrono::duration_cast<milliseconds>(now - std::chrono::nanoseconds(changed));
  return std::max(old, milliseconds(0));
}

}  // namespace

store::Result<DirectoryReader::Scan> DirectoryReader::scan() {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(options_.plugins, error), end; !error && it != end; it.increment(error)) {
    const bool hidden = it->path().filename().string().starts_with('.');  // such as one that is being copied in
    if (it->path().extension() == ".so" && !hidden) files.push_back(it->path());
  }
  if (error) {
    return store::Status::io("Could not read the plugin directory " + options_.plugins.string() + ": " +
                             error.message() + ". Make it, or name another with --plugins.");
  }
  std::sort(files.begin(), files.end());
  std::erase_if(seen_, [&](const auto& seen) { return !std::binary_search(files.begin(), files.end(), seen.first); });
  Scan scan;
  for (const auto& file : files) {
    FoundPlugin found = look_at(file, seen_[file]);
    if (!found.copy) scan.again = std::min(scan.again.value_or(kWriterPause), options_.settle);
    scan.plugins.push_back(std::move(found));
  }
  first_ = false;
  return scan;
}

FoundPlugin DirectoryReader::look_at(const std::filesystem::path& file, Seen& seen) {
  FoundPlugin found{.file = file, .copy = {}, .changed = true};
  const std::optional<FileSignature> signature = file_signature(file);
  const steady_clock::time_point now = steady_clock::now();
  if (signature && seen.signature == *signature && seen.copy) {
    found.copy = seen.copy;
    found.changed = false;
    return found;
  }
  if (!signature || seen.signature != *signature) {
    seen = {signature.value_or(FileSignature{}), now, {}};
  }
  if (signature) {
    // Known to be as it is for long enough, by our own observation or by its times.
    const bool quiet = now - seen.since >= options_.settle || age(signature->changed_ns) >= options_.settle;
    const Writer writer = writer_of(file);
    // Whoever puts a file there and starts the host next expects it to be served.
    const bool settled = quiet || (first_ && writer == Writer::kNone);
    if (!settled || writer == Writer::kOpen) return found;
  }
  store::Result<CachedPlugin> copy = cache_plugin(file, options_.cache);
  if (copy && options_.trusted) {
    if (const store::Status trusted = options_.trusted(file, copy->path); !trusted) copy = trusted;
  }
  const std::optional<FileSignature> after = file_signature(file);
  if (signature && after != signature) {  // written while it was read: what was read may be half of it
    seen = {after.value_or(FileSignature{}), steady_clock::now(), {}};
    return found;
  }
  seen.copy = copy;
  found.copy = std::move(copy);
  return found;
}

std::set<store::VersionId> DirectoryReader::present() const {
  std::set<store::VersionId> versions;
  for (const auto& [file, seen] : seen_) {
    if (seen.copy && *seen.copy) versions.insert((*seen.copy)->version);
  }
  return versions;
}

}  // namespace perdure::catalog
