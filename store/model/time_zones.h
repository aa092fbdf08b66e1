// The time zones of this machine, by their IANA names: a folder of zone files, read when they are asked for and kept.
// Any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/status.h"
#include "store/model/time_zone.h"

namespace perdure::store {

class TimeZones {
 public:
  explicit TimeZones(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The system's: in the folder that the environment's TZDIR names, as for the C library, else /usr/share/zoneinfo.
  static TimeZones& system();

  /// The zone of that name, "UTC" also where there are no files. A file that has changed is read again, so that an
  /// update of the system's zone files needs no restart; one that is gone or damaged since leaves what was read before.
  /// kInvalid when there is no such zone, with the nearest name; kCorruption when its file is damaged. Names have 1 to
  /// 100 of [A-Za-z0-9_+-] in parts by "/", each of which begins with a capital letter; so no name leads out of the
  /// folder or to a file that is no zone.
  Result<std::shared_ptr<const TimeZone>> find(std::string_view name);

  /// The names to choose from: "UTC", then one for each region that has a time of its own, sorted (the system's
  /// zone.tab). find() knows further ones, such as old names and Etc/GMT+5.
  std::vector<std::string> names();

 private:
  struct Kept {
    std::filesystem::file_time_type written;
    std::shared_ptr<const TimeZone> zone;
  };
  Result<TimeZone> read_file(std::string_view name);
  Status unknown(std::string_view name);

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> kept_;  // under mutex_; at most one for each file
};

}  // namespace perdure::store
