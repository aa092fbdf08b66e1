#include "host/catalog/directory_reader.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "host/catalog/plugin_signature.h"

namespace perdure::catalog {
namespace {

// When a file is read again that could not be, for want of space or descriptors: nothing tells that there are some
// again.
constexpr std::chrono::milliseconds kRetryPause{5000};

bool may_work_later(const store::Status& failure) {
  return failure.code() == store::Code::kIo || failure.code() == store::Code::kNoSpace;
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
  std::map<std::filesystem::path, FileSignature> signatures;
  for (const auto& file : files) {
    if (const auto signature = file_signature(file)) signatures.emplace(file, *signature);
  }
  const store::Time now = std::chrono::time_point_cast<store::Duration>(std::chrono::system_clock::now());
  const SettledFiles::Look look = settled_.look(signatures, now);
  Scan scan;
  if (look.again) scan.again = *look.again - now;
  for (const auto& file : files) {
    const auto verdict = look.files.find(file);
    // Whoever puts a file there and starts the host next expects it to be served.
    const bool settled = verdict == look.files.end() || verdict->second.settled || was_read(signatures.at(file)) ||
                         (first_ && writer_of(file) == Writer::kNone);
    scan.plugins.push_back(settled ? read(file) : FoundPlugin{.file = file, .copy = {}, .changed = true});
    // A link that leads nowhere has no signature; its target is watched.
    const auto& copy = scan.plugins.back().copy;
    if (copy && !*copy && may_work_later(copy->status()) && signatures.contains(file)) {
      scan.again = std::min(scan.again.value_or(kRetryPause), kRetryPause);
    }
  }
  first_ = false;
  std::erase_if(seen_, [&](const auto& seen) { return !std::binary_search(files.begin(), files.end(), seen.first); });
  return scan;
}

// Whether the file was read before under another name, by which it was complete; to rename it changes nothing of it.
bool DirectoryReader::was_read(const FileSignature& now) const {
  return std::any_of(seen_.begin(), seen_.end(), [&now](const auto& seen) {
    const std::optional<FileSignature>& then = seen.second.looks.plugin;
    return seen.second.copy && then && then->device == now.device && then->inode == now.inode &&
           then->size == now.size && then->modified_ns == now.modified_ns;
  });
}

FoundPlugin DirectoryReader::read(const std::filesystem::path& file) {
  FoundPlugin found{.file = file, .copy = {}, .changed = false};
  Seen& seen = seen_[file];
  const auto look = [&file] { return Looks{file_signature(file), file_signature(signature_path(file))}; };
  const Looks looks = look();
  // What was refused may be taken today: the directory's rights are other ones, or the disk has room.
  if (seen.looks == looks && seen.copy && *seen.copy) {
    found.copy = seen.copy;
    return found;
  }
  store::Result<CachedPlugin> copy = cache_plugin(file, options_.cache);
  if (copy && options_.trusted) {
    if (const store::Status trusted = options_.trusted(file, copy->path); !trusted) copy = trusted;
  }
  const bool same_refusal =
      seen.looks == looks && seen.copy && !copy && seen.copy->status().message() == copy.status().message();
  seen = {looks, copy};
  if (look() != looks) {  // written while it was read: what was read may be half of it
    seen.copy.reset();
    return found;
  }
  found.changed = !same_refusal;
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
