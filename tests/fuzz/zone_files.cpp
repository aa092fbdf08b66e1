// Target: the files of time zones. Input: eight bytes of an instant in seconds, the file.
#include <chrono>
#include <span>
#include <string>

#include "store/model/time_zone.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

constexpr std::int64_t kYear1 = -62'135'596'800;
constexpr std::int64_t kYear9999 = 253'402'300'799;

void try_instant(const store::TimeZone& zone, std::chrono::sys_seconds at) {
  const std::chrono::seconds offset = zone.offset_at(at);
  claim(offset > std::chrono::hours(-168) && offset < std::chrono::hours(168 + 26), "an offset is a week at most");
  if (at.time_since_epoch().count() < kYear1 || at.time_since_epoch().count() > kYear9999) return;
  const store::LocalTime shown{at.time_since_epoch() + offset};
  const store::LocalTime latest = zone.shown_until(at);
  claim(latest >= shown, "clocks have shown what they show");
  const std::chrono::sys_seconds first = zone.first_at(shown);
  claim(first <= at, "clocks show a time no later than when they show it");
  claim(zone.first_at(shown + std::chrono::seconds(1)) >= first, "a later time is shown no earlier");
  claim(zone.first_at(shown + std::chrono::hours(24)) >= first, "a time of the next day is shown no earlier");
}

}  // namespace

void zone_files(std::string_view bytes) {
  Input input(bytes);
  const std::int64_t second = input.i64();
  const std::string_view file = input.rest();
  const store::Result<store::TimeZone> zone =
      store::TimeZone::read("Fuzzed/Zone", std::as_bytes(std::span(file.data(), file.size())));
  if (!zone) {
    claim(zone.status().code() == store::Code::kCorruption, "what is no zone file is refused as kCorruption");
    return;
  }
  for (const std::int64_t each : {second, second % kYear9999, std::int64_t{0}, std::int64_t{1'700'000'000}}) {
    try_instant(*zone, std::chrono::sys_seconds(std::chrono::seconds(each)));
  }
}

}  // namespace perdure::fuzz
