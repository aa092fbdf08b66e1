#include "store/model/time_zones.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "store/model/nearest.h"

namespace perdure::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCharacters = 100;
constexpr std::uintmax_t kLargestFile = 1u << 20;  // the largest real one has 4 KB
constexpr std::size_t kNear = 4;                   // letters

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > kMostCharacters) return false;
  bool begins = true;
  for (const char c : name) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool letter = capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
    if (begins ? !capital : !(letter || c == '/')) return false;
    begins = c == '/';
  }
  return !begins;
}

std::vector<std::byte> content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::byte> bytes(text.size());
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

// The third column of each line of zone.tab that is no comment.
void add_names(const fs::path& table, std::vector<std::string>& names) {
  std::ifstream in(table);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = first == std::string::npos ? first : line.find('\t', first + 1);
    if (second == std::string::npos) continue;
    const std::size_t end = std::min(line.find('\t', second + 1), line.size());
    std::string name = line.substr(second + 1, end - second - 1);
    if (is_zone_name(name)) names.push_back(std::move(name));
  }
}

}  // namespace

TimeZones& TimeZones::system() {
  static TimeZones zones([] {
    const char* named = std::getenv("TZDIR");
    return fs::path(named != nullptr && *named != '\0' ? named : "/usr/share/zoneinfo");
  }());
  return zones;
}

Result<std::shared_ptr<const TimeZone>> TimeZones::find(std::string_view name) {
  static const auto utc = std::make_shared<const TimeZone>(TimeZone::utc());
  if (name == utc->name()) return utc;
  if (!is_zone_name(name)) return unknown(name);
  std::error_code error;
  const fs::file_time_type written = fs::last_write_time(folder_ / name, error);
  std::shared_ptr<const TimeZone> before;
  {
    const std::lock_guard lock(mutex_);
    const auto kept = kept_.find(name);
    if (kept != kept_.end()) before = kept->second.zone;
    if (before && !error && kept->second.written == written) return before;
  }
  Result<TimeZone> read = read_file(name);
  if (!read) return before ? Result<std::shared_ptr<const TimeZone>>(before) : read.status();
  auto zone = std::make_shared<const TimeZone>(std::move(read).value());
  const std::lock_guard lock(mutex_);
  kept_.insert_or_assign(std::string(name), Kept{written, zone});
  return zone;
}

Result<TimeZone> TimeZones::read_file(std::string_view name) {
  const fs::path path = folder_ / name;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return unknown(name);
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > kLargestFile) {
    return Status::corruption("the file " + path.string() + " of a time zone cannot be read, or has more than 1 MiB");
  }
  return TimeZone::read(std::string(name), content_of(path));
}

std::vector<std::string> TimeZones::names() {
  std::vector<std::string> names;
  add_names(folder_ / "zone.tab", names);
  if (names.empty()) add_names(folder_ / "zone1970.tab", names);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  names.insert(names.begin(), "UTC");
  return names;
}

Status TimeZones::unknown(std::string_view name) {
  std::string shown(name.substr(0, kMostCharacters));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  const std::vector<std::string> known = names();
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest_name(name.substr(0, kMostCharacters), views, kNear);
  std::string message = "there is no time zone \"" + shown + "\"; expected an IANA name such as ";
  message += near.empty() ? "Europe/Berlin" : near;
  if (known.size() == 1) message += " (" + folder_.string() + " has no zone files: install tzdata, or set TZDIR)";
  return Status::invalid(message);
}

}  // namespace perdure::store
