// Which files of the plugin directory are complete: closed by whoever wrote them, and unchanged for a moment. Nobody
// can know that for certain (a writer may come back), so a file that was taken too early fails to load, and its next
// change brings it here again; a file that is renamed into place is never taken too early.
//
// One thread; reads the clock of whoever calls, and no directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "host/catalog/file_signature.h"
#include "store/model/ids.h"

namespace perdure::catalog {

enum class Writer : std::uint8_t {
  kNone,
  kOpen,     // some process has the file open for writing
  kUnknown,  // not to be found out: somebody else's file without CAP_LEASE, a network file system
};

/// Asks the kernel for a read lease on the file, which it grants only while nobody can write it, and gives it back at
/// once. A process that opens the file for writing in just that moment waits for a few microseconds. Any thread.
Writer writer_of(const std::filesystem::path& path);

struct SettledFilesOptions {
  store::Duration settle{200};
  store::Duration longest_wait{5000};                             // between looks while a writer keeps a file open
  std::function<Writer(const std::filesystem::path&)> writer_of;  // empty: the function above
};

class SettledFiles {
 public:
  explicit SettledFiles(SettledFilesOptions options = {});

  struct Verdict {
    bool settled = false;
    std::string why;  // not settled: "It is still being written.", for people
  };
  struct Look {
    std::map<std::filesystem::path, Verdict> files;  // one for each that was given
    std::optional<store::Time> again;                // when to look again for those that are not settled
  };

  /// `present`: every file there is now with its signature; others are forgotten. `now`: the wall clock. Settled is a
  /// file whose signature has been the same for the settle time (or whose times say that it has not changed for so
  /// long, at first sight), and which has no writer, as far as can be found out. Once settled, a file stays so until
  /// its signature changes, and its writers are not asked for again.
  Look look(const std::map<std::filesystem::path, FileSignature>& present, store::Time now);

 private:
  struct Seen {
    FileSignature signature;
    store::Time since{};  // it has been so since then
    bool settled = false;
    store::Duration wait{};  // until the next look, while it has a writer
  };

  SettledFilesOptions options_;
  std::map<std::filesystem::path, Seen> seen_;
};

}  // namespace perdure::catalog
