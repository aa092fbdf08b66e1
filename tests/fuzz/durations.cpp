// Target: durations, times, delays, machines and what else is read from a short text. Input: the text.
#include "store/model/duration.h"

#include <string>

#include "store/model/delay.h"
#include "store/model/machine.h"
#include "store/model/posix_rule.h"
#include "store/model/timestamp.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

void claim_duration(store::Duration duration) {
  claim(duration >= store::Duration::zero() && duration <= store::kLongestDuration, "a duration is within its bounds");
  const std::string text = store::format_duration(duration);
  const store::Result<store::Duration> again = store::parse_duration(text);
  claim(again.status().is_ok(), "a duration that is written can be read");
  claim(*again == std::chrono::floor<std::chrono::seconds>(duration), "a duration comes back as it was, in seconds");
}

void try_times(std::string_view text) {
  const store::Result<store::Time> time = store::parse_time(text);
  if (time) {
    const store::Result<store::Time> again = store::parse_time(store::format_time(*time));
    claim(again.status().is_ok() && *again == *time, "a time that is written comes back as it was");
  }
  if (const store::Result<store::Delay> delay = store::parse_delay(text)) {
    const store::Time now{std::chrono::milliseconds(1'700'000'000'000)};
    const bool calendar = store::is_calendar(*delay);
    claim(calendar || store::end_of(*delay, now) >= now, "a delay that is a duration ends later than now");
    claim(calendar ? time.status().is_ok() : store::parse_duration(text).status().is_ok(),
          "a delay is a duration or a time");
  }
}

void try_rule(std::string_view text) {
  const std::optional<store::PosixRule> rule = store::PosixRule::parse(text);
  if (!rule || rule->is_fixed()) return;
  for (const int year : {-9999, 1900, 1970, 2024, 9999}) {
    const auto changes = rule->changes_in(std::chrono::year(year));
    claim(changes[0].begin <= changes[1].begin, "the changes of a year are in order");
  }
}

}  // namespace

void durations(std::string_view bytes) {
  const store::Result<store::Duration> duration = store::parse_duration(bytes);
  if (duration) claim_duration(*duration);
  const store::Result<store::Duration> ttl = store::parse_ttl(bytes);
  if (ttl) claim_duration(*ttl);
  claim(!duration || (ttl && *ttl == *duration), "every duration is a ttl");
  if (const auto key = store::parse_idempotency_ttl(bytes)) claim_duration(*key);
  try_times(bytes);
  if (const std::optional<store::Machine> machine = store::parse_machine(bytes)) {
    claim(store::parse_machine(store::machine_text(*machine)) == machine, "a machine comes back as it was");
    claim(!store::machine_in_words(*machine).empty(), "a machine has words");
  }
  try_rule(bytes);
}

}  // namespace perdure::fuzz
