// Reads the plugin directory: which *.so files are there, which of them changed, and a private copy of each that did. A
// file that somebody still writes, or that changed a moment ago, is left for a later scan; the first scan leaves only
// those that somebody writes.
//
// It blocks (a directory may be on a network, a plugin may be large), so it lives on a thread of its own. One thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/catalog/file_signature.h"
#include "host/catalog/found_plugin.h"
#include "host/catalog/settled_files.h"
#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::catalog {

struct DirectoryReaderOptions {
  std::filesystem::path plugins;  // where people drop plugins
  std::filesystem::path cache;    // DATA/plugins
  /// Whether the file, of which this is the private copy, may be loaded. May be empty: any.
  std::function<store::Status(const std::filesystem::path& file, const std::filesystem::path& copy)> trusted;
  SettledFilesOptions settled{};  // when a file is complete
};

class DirectoryReader {
 public:
  explicit DirectoryReader(DirectoryReaderOptions options) : options_(std::move(options)), settled_(options_.settled) {}

  struct Scan {
    std::vector<FoundPlugin> plugins;  // by file name
    /// A file was not settled, or could not be copied: look again after this.
    std::optional<std::chrono::milliseconds> again;
  };
  /// kIo: the directory cannot be read.
  store::Result<Scan> scan();

  /// The versions of which a file that is there has a copy.
  [[nodiscard]] std::set<store::VersionId> present() const;

 private:
  struct Looks {
    std::optional<FileSignature> plugin, signature;  // of the file, and of its detached signature
    bool operator==(const Looks&) const = default;
  };
  struct Seen {
    Looks looks;
    std::optional<store::Result<CachedPlugin>> copy;
  };

  [[nodiscard]] bool was_read(const FileSignature& now) const;
  FoundPlugin read(const std::filesystem::path& file);

  DirectoryReaderOptions options_;
  SettledFiles settled_;
  std::map<std::filesystem::path, Seen> seen_;
  bool first_ = true;  // no scan has ended yet
};

}  // namespace perdure::catalog
