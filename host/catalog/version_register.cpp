#include "host/catalog/version_register.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "host/catalog/plugin_copies.h"
#include "host/catalog/version_json.h"
#include "host/os/durable_file.h"

namespace perdure::catalog {
namespace {

using store::Status;
using store::VersionId;

std::string day_of(store::Time time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  std::string text(16, '\0');
  const int size = std::snprintf(text.data(), text.size(), "%04d%02u%02u", static_cast<int>(day.year()),
                                 static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// n of "DAY.n"; 0 for a number of another day.
std::uint64_t count_on(const std::string& day, const std::string& number) {
  if (!number.starts_with(day + ".")) return 0;
  std::uint64_t count = 0;
  std::from_chars(number.data() + day.size() + 1, number.data() + number.size(), count);
  return count;
}

auto entry_of(FileRecord& record, const VersionId& version) {
  return std::ranges::find(record.history, version, &FileRecord::Served::version);
}

const VersionId* serving_of(const FileRecord& record) {
  if (record.hold) return &record.hold->instead;
  return record.history.empty() ? nullptr : &record.history.back().version;
}

}  // namespace

store::Result<VersionRegister> VersionRegister::open(std::filesystem::path directory) {
  VersionRegister opened(std::move(directory));
  std::error_code error;
  std::filesystem::create_directories(opened.directory_, error);
  if (error) {
    return Status::io("Could not make the directory " + opened.directory_.string() + ": " + error.message() + ".");
  }
  const std::string path = opened.path().string();
  std::string text;
  if (!os::read_file(path, text)) {
    if (errno == ENOENT) return opened;
    return Status::io("Could not read " + path +
                      ", which says what plugin versions there have been: " + std::strerror(errno) + ".");
  }
  auto registered = versions_from_json(text);
  if (registered) {
    opened.versions_ = std::move(registered->versions);
    opened.files_ = std::move(registered->files);
    return opened;
  }
  const std::string aside = path + ".damaged";
  if (std::rename(path.c_str(), aside.c_str()) != 0) {
    return Status::io("Could not move the damaged " + path + " to " + aside + ": " + std::strerror(errno) + ".");
  }
  opened.damage_ = Status::corruption(path + ", which says what plugin versions there have been, is damaged: " +
                                      registered.status().message() + ". It is now " + aside +
                                      " and a new one is begun: versions are numbered anew, and there is none to roll "
                                      "back to until one is replaced. To "
                                      "have it back, mend it and put it in place while the host is stopped.");
  return opened;
}

Status VersionRegister::save() {
  if (!changed_) return {};
  if (!os::replace_file(path().string(), versions_to_json({versions_, files_}), 0600)) {
    const int error = errno;
    const std::string sentence = "Could not write " + path().string() +
                                 ", which says what plugin versions there have been: " + std::strerror(error) + ".";
    return error == ENOSPC || error == EDQUOT ? Status::no_space(sentence) : Status::io(sentence);
  }
  changed_ = false;
  return {};
}

const std::string& VersionRegister::number_of(const VersionId& version, std::string_view file, store::Time now) {
  if (const auto known = versions_.find(version); known != versions_.end()) return known->second.number;
  const std::string day = day_of(now);
  std::uint64_t highest = 0;
  for (const auto& [id, record] : versions_) highest = std::max(highest, count_on(day, record.number));
  VersionRecord record;
  record.number = day + "." + std::to_string(highest + 1);
  record.file = file;
  record.first_seen = now;
  changed_ = true;
  return versions_.emplace(version, std::move(record)).first->second.number;
}

void VersionRegister::describe(const VersionId& version, std::string_view plugin, std::string_view version_text,
                               const std::vector<std::string>& tasks) {
  const auto found = versions_.find(version);
  if (found == versions_.end()) return;
  VersionRecord& record = found->second;
  if (record.plugin == plugin && record.version == version_text && record.tasks == tasks) return;
  record.plugin = plugin;
  record.version = version_text;
  record.tasks = tasks;
  changed_ = true;
}

std::set<store::TaskId> VersionRegister::tasks() const {
  std::set<store::TaskId> all;
  for (const auto& [id, record] : versions_) {
    for (const std::string& task : record.tasks) all.emplace(task);
  }
  return all;
}

const VersionRecord* VersionRegister::find(const VersionId& version) const {
  const auto found = versions_.find(version);
  return found == versions_.end() ? nullptr : &found->second;
}

std::optional<VersionId> VersionRegister::find_number(std::string_view number) const {
  for (const auto& [id, record] : versions_) {
    if (record.number == number) return id;
  }
  return std::nullopt;
}

VersionId VersionRegister::serving_choice(const std::string& name, const VersionId& present) const {
  const FileRecord* record = file(name);
  return record != nullptr && record->hold && record->hold->passed_over == present ? record->hold->instead : present;
}

void VersionRegister::served(const std::string& name, const VersionId& version, const VersionId& present,
                             store::Time now) {
  FileRecord& record = files_[name];
  if (std::exchange(record.withdrawn, std::nullopt)) changed_ = true;
  if (record.hold && record.hold->passed_over != present) {
    record.hold.reset();
    changed_ = true;
  }
  const VersionId* const before = serving_of(record);
  if (before != nullptr && *before == version) return;
  changed_ = true;
  record.hold.reset();
  if (const auto old = entry_of(record, version); old != record.history.end()) record.history.erase(old);
  record.history.push_back({version, now, false});
  if (record.history.size() > kLongestHistory) record.history.erase(record.history.begin());
}

std::optional<VersionId> VersionRegister::serving(const std::string& name) const {
  const FileRecord* record = file(name);
  const VersionId* version = record == nullptr ? nullptr : serving_of(*record);
  return version == nullptr ? std::nullopt : std::optional(*version);
}

void VersionRegister::withdrawn(const std::string& name, store::Time now) {
  const auto found = files_.find(name);
  if (found == files_.end() || found->second.withdrawn) return;
  found->second.withdrawn = now;
  changed_ = true;
}

store::Result<VersionId> VersionRegister::previous(const std::string& name) const {
  const auto found = files_.find(name);
  if (found == files_.end() || found->second.history.empty()) {
    return Status::not_found("No version has served from " + name + " yet.");
  }
  const auto& history = found->second.history;
  const VersionId now = *serving_of(found->second);
  auto at = std::ranges::find(history, now, &FileRecord::Served::version);
  while (at != history.begin()) {
    --at;
    if (!at->rolled_back && find_copy(directory_, at->version, name)) return at->version;
  }
  const VersionRecord* record = find(now);
  return Status::not_found("There is no version of " + name + " before " +
                           (record != nullptr ? record->number : now.text()) +
                           " to go back to; put an earlier file into the plugin directory instead.");
}

store::Result<VersionId> VersionRegister::roll_back(const std::string& name, const VersionId& present) {
  const auto target = previous(name);
  if (!target) return target;
  FileRecord& record = files_[name];
  if (const auto left = entry_of(record, *serving_of(record)); left != record.history.end()) left->rolled_back = true;
  record.hold = FileRecord::Hold{present, *target};
  changed_ = true;
  return target;
}

store::Result<VersionId> VersionRegister::roll_back_to(const std::string& name, const VersionId& present,
                                                       std::string_view named) {
  constexpr std::size_t kShortest = 4;  // characters of a hash that may name a version
  const auto found = files_.find(name);
  std::vector<VersionId> called_so;
  std::string there;
  if (found != files_.end()) {
    for (const FileRecord::Served& served : found->second.history) {
      const VersionRecord* record = find(served.version);
      const std::string number = record != nullptr ? record->number : served.version.text();
      if (!find_copy(directory_, served.version, name)) continue;
      there += (there.empty() ? "" : ", ") + number;
      const bool by_hash = named.size() >= kShortest && served.version.text().starts_with(named);
      if (number == named || by_hash) called_so.push_back(served.version);
    }
  }
  if (called_so.size() != 1) {
    return Status::not_found((called_so.empty() ? "No version" : "More than one version") + (" of " + name) +
                             " that has served is called '" + std::string(named) + "'" +
                             (there.empty() ? "; there is none to go back to." : "; there are " + there + "."));
  }
  found->second.hold.reset();
  if (called_so.front() != present) found->second.hold = FileRecord::Hold{present, called_so.front()};
  changed_ = true;
  return called_so.front();
}

bool VersionRegister::end_rollback(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end() || !found->second.hold) return false;
  FileRecord& record = found->second;
  for (auto entry = entry_of(record, record.hold->instead); entry != record.history.end(); ++entry) {
    entry->rolled_back = false;
  }
  record.hold.reset();
  changed_ = true;
  return true;
}

const FileRecord* VersionRegister::file(const std::string& name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? nullptr : &found->second;
}

std::set<VersionId> VersionRegister::kept() const {
  std::set<VersionId> versions;
  for (const auto& [name, record] : files_) {
    if (record.hold) versions.insert(record.hold->instead);
    const std::size_t first = record.history.size() - std::min(record.history.size(), kKeptCopies);
    for (std::size_t i = first; i < record.history.size(); ++i) versions.insert(record.history[i].version);
  }
  return versions;
}

void VersionRegister::forget(const std::set<VersionId>& in_use, store::Time now) {
  changed_ |= std::erase_if(files_, [&](const auto& file) {
                return file.second.withdrawn && *file.second.withdrawn + kKeptWithdrawn <= now;
              }) > 0;
  if (versions_.size() <= kMostVersions) return;
  std::set<VersionId> needed = in_use;
  for (const auto& [name, record] : files_) {
    for (const FileRecord::Served& served : record.history) needed.insert(served.version);
    if (record.hold) needed.insert({record.hold->instead, record.hold->passed_over});
  }
  std::vector<std::pair<store::Time, VersionId>> others;
  for (const auto& [id, record] : versions_) {
    if (!needed.contains(id)) others.emplace_back(record.first_seen, id);
  }
  std::ranges::sort(others);
  for (std::size_t i = 0; i < others.size() && i + kMostVersions < others.size(); ++i) {
    versions_.erase(others[i].second);
    changed_ = true;
  }
}

}  // namespace perdure::catalog
