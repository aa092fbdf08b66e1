// What the host remembers of plugin versions from one start to the next, in DATA/plugins/versions.json: the number by
// which people call each version, which versions served from each file, and which one a rollback passes over. It
// decides nothing by itself and loads nothing. Changes are in memory until save(). One thread.
//
// "File" is the name of a file in the plugin directory, "greet.so". Its history is the versions that served from it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::catalog {

/// A version, once seen, whether it was ever loaded or not.
struct VersionRecord {
  std::string number;   // "20261123.2": the UTC day it was first seen, and which of that day's it was, from 1
  std::string file;     // where it was first seen
  std::string plugin;   // the plugin's own name; empty until described
  std::string version;  // the plugin's own version text
  std::vector<std::string> tasks;
  store::Time first_seen{};
};

/// What became of one file.
struct FileRecord {
  struct Served {
    store::VersionId version;
    store::Time since{};       // when it was last taken up
    bool rolled_back = false;  // people went back from it; it is not gone back to
  };
  /// After a rollback: while the file's content is `passed_over`, `instead` serves.
  struct Hold {
    store::VersionId passed_over, instead;
  };
  std::vector<Served> history;  // each version once, the newest last, at most kLongestHistory
  std::optional<Hold> hold;
  std::optional<store::Time> withdrawn;  // since when there is no such file
};

class VersionRegister {
 public:
  static constexpr std::size_t kLongestHistory = 20;
  static constexpr std::size_t kMostVersions = 500;              // remembered without being needed
  static constexpr std::size_t kKeptCopies = 5;                  // for each file, so that it can be rolled back
  static constexpr store::Duration kKeptWithdrawn{604'800'000};  // 7 days: then a file that is gone is forgotten

  /// Reads DIRECTORY/versions.json; begins empty where there is none. A damaged one does not keep the host from
  /// serving: it is moved aside to versions.json.damaged (replacing an earlier one), the register begins anew, and
  /// damage() says so. kIo: the file is there but cannot be read or moved aside, or the directory cannot be made.
  static store::Result<VersionRegister> open(std::filesystem::path directory);

  /// Ok, or kCorruption: one sentence for the log about what was found and lost when this was opened.
  [[nodiscard]] const store::Status& damage() const { return damage_; }

  /// Writes what has changed: beside, synced, renamed into place. Does nothing when nothing has changed. kIo or
  /// kNoSpace: the file is as it was, the changes stay in memory, and the next save() tries again; the host may go on.
  store::Status save();

  // --- versions -----------------------------------------------------------------------------------------------------

  /// The version's number; a version seen for the first time is given the next of `now`'s day. The reference holds
  /// until the next call that is not const.
  const std::string& number_of(const store::VersionId& version, std::string_view file, store::Time now);
  /// What the loaded plugin says of itself. The version must have a number.
  void describe(const store::VersionId& version, std::string_view plugin, std::string_view version_text,
                const std::vector<std::string>& tasks);
  /// Every task of every version that is remembered.
  [[nodiscard]] std::set<store::TaskId> tasks() const;
  /// Null for a version never seen or forgotten. Until the next call that is not const.
  [[nodiscard]] const VersionRecord* find(const store::VersionId& version) const;
  /// The version with this number.
  [[nodiscard]] std::optional<store::VersionId> find_number(std::string_view number) const;

  // --- files --------------------------------------------------------------------------------------------------------

  /// The file has this content: which version is to serve from it? `present` itself, or what people rolled back to.
  [[nodiscard]] store::VersionId serving_choice(const std::string& file, const store::VersionId& present) const;
  /// `version` now serves from the file, whose content is `present`: the same, or another one that is passed over or
  /// was refused. Newly taken up it becomes the newest of its history; what was serving already changes nothing. A
  /// rollback ends when `present` is another content than the one gone back from. Call it after every load that went
  /// live.
  void served(const std::string& file, const store::VersionId& version, const store::VersionId& present,
              store::Time now);
  /// What served last, and will serve again after a restart if the file's own content is refused. nullopt: nothing has.
  [[nodiscard]] std::optional<store::VersionId> serving(const std::string& file) const;
  /// The file is gone from the plugin directory, at the latest now; served() says that it is back.
  void withdrawn(const std::string& file, store::Time now);
  /// What roll_back() would make serve: the newest version of its history before the serving one that was not rolled
  /// back from and whose copy is still there. kNotFound: the file is unknown, or there is none; one sentence.
  [[nodiscard]] store::Result<store::VersionId> previous(const std::string& file) const;
  /// Makes the previous version the choice while the file's content stays `present` (which is what serves, or what was
  /// refused). Returns the previous version. Again: the one before that. kNotFound as previous().
  store::Result<store::VersionId> roll_back(const std::string& file, const store::VersionId& present);
  /// The same, to a version of the file's history that people name: by its number, or by the beginning of its content
  /// hash, at least four characters. kNotFound: none or several are called so; the sentence says which there are.
  store::Result<store::VersionId> roll_back_to(const std::string& file, const store::VersionId& present,
                                               std::string_view named);
  /// Ends a rollback: the file's own content is the choice again. False: there was none.
  bool end_rollback(const std::string& file);
  /// Null for a file that nothing served from. Until the next call that is not const.
  [[nodiscard]] const FileRecord* file(const std::string& file) const;
  [[nodiscard]] const std::map<std::string, FileRecord>& files() const { return files_; }

  // --- forgetting ---------------------------------------------------------------------------------------------------

  /// The versions whose copies are to stay so that files can be rolled back: of every file the newest kKeptCopies, and
  /// what serves instead of one. What is loaded or locked by runs the caller adds.
  [[nodiscard]] std::set<store::VersionId> kept() const;
  /// Forgets files that were withdrawn kKeptWithdrawn ago, and the oldest versions beyond kMostVersions that neither a
  /// file's history nor `in_use` names.
  void forget(const std::set<store::VersionId>& in_use, store::Time now);

 private:
  explicit VersionRegister(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::filesystem::path path() const { return directory_ / "versions.json"; }

  std::filesystem::path directory_;
  std::map<store::VersionId, VersionRecord> versions_;
  std::map<std::string, FileRecord> files_;
  store::Status damage_;
  bool changed_ = false;
};

}  // namespace perdure::catalog
