#include "host/api/run_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "store/model/duration.h"
#include "store/model/timestamp.h"

namespace perdure::api {
namespace {

using store::RunFilter;
using Values = std::vector<std::string>;

std::string read_statuses(const Values& values, store::Time, RunFilter& filter) {
  std::string invalid;
  for (const std::string& name : values) {
    if (const std::optional<store::RunStatus> status = store::parse_status(name)) {
      filter.statuses.push_back(*status);
    } else {
      invalid += (invalid.empty() ? "" : ", ") + name;
    }
  }
  filter.told = true;
  return invalid.empty() ? "" : "Invalid status values: " + invalid;
}

template <auto kMember>
std::string read_names(const Values& values, store::Time, RunFilter& filter) {
  for (const std::string& value : values) (filter.*kMember).emplace_back(value);
  return {};
}

std::string read_bulk_action(const Values& values, store::Time, RunFilter& filter) {
  if (values.empty()) return {};
  if (values.size() > 1 || !store::is_bulk_action_id(values[0])) return "bulkAction must be the id of one bulk action";
  filter.bulk_action = store::BulkActionId(values[0]);
  return {};
}

std::string read_batch(const Values& values, store::Time, RunFilter& filter) {
  if (values.empty()) return {};
  if (values.size() > 1 || !store::is_batch_id(values[0])) return "batch must be the id of one batch";
  filter.batch = store::BatchId(values[0]);
  return {};
}

std::string read_is_test(const Values& values, store::Time, RunFilter& filter) {
  if (values.size() != 1 || (values[0] != "true" && values[0] != "false")) return "isTest must be true or false";
  filter.is_test = values[0] == "true";
  return {};
}

constexpr std::int64_t kLastMillisecond = 253'402'300'799'999;  // of the year 9999

// Runs of a host have no region, so none is in the one that is asked for.
std::string read_region(const Values& values, store::Time, RunFilter& filter) {
  if (!values.empty()) filter.from = store::Time(store::Duration(kLastMillisecond));
  return {};
}

std::optional<store::Time> moment(const Values& values) {
  if (values.size() != 1) return std::nullopt;
  const std::string& text = values[0];
  std::int64_t milliseconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (failed == std::errc() && end == text.data() + text.size() && milliseconds >= 0 &&
      milliseconds <= kLastMillisecond) {
    return store::Time(store::Duration(milliseconds));
  }
  const store::Result<store::Time> time = store::parse_time(text);
  return time ? std::optional(*time) : std::nullopt;
}

std::string read_from(const Values& values, store::Time, RunFilter& filter) {
  const std::optional<store::Time> time = moment(values);
  if (!time) return "createdAt.from must be a time in ISO 8601 or in milliseconds since 1970";
  filter.from = filter.from ? std::max(*filter.from, *time) : *time;
  return {};
}

std::string read_to(const Values& values, store::Time, RunFilter& filter) {
  filter.to = moment(values);
  return filter.to ? "" : "createdAt.to must be a time in ISO 8601 or in milliseconds since 1970";
}

std::string read_period(const Values& values, store::Time now, RunFilter& filter) {
  const auto period = values.size() == 1 ? store::parse_duration(values[0]) : store::Status::invalid("");
  if (!period) return "createdAt.period must be a duration such as 30s or 1h30m";
  const store::Time since = now - *period;
  filter.from = filter.from ? std::max(*filter.from, since) : since;
  return {};
}

struct Filter {
  std::string_view name;
  std::string (*read)(const Values& values, store::Time now, RunFilter& filter);
};
constexpr std::array kFilters{
    Filter{"status", read_statuses},
    Filter{"taskIdentifier", read_names<&RunFilter::tasks>},
    Filter{"tag", read_names<&RunFilter::tags>},
    Filter{"version", read_names<&RunFilter::versions>},
    Filter{"queue", read_names<&RunFilter::queues>},
    Filter{"machine", read_names<&RunFilter::machines>},
    Filter{"region", read_region},
    Filter{"schedule", read_names<&RunFilter::schedules>},
    Filter{"batch", read_batch},
    Filter{"bulkAction", read_bulk_action},
    Filter{"isTest", read_is_test},
    Filter{"createdAt.from", read_from},
    Filter{"createdAt.to", read_to},
    Filter{"createdAt.period", read_period},
};

}  // namespace

std::string read_filter(std::string_view name, const Values& values, store::Time now, RunFilter& filter) {
  const auto* const found = std::ranges::find(kFilters, name, &Filter::name);
  if (found != kFilters.end()) return found->read(values, now, filter);
  return std::string(name) + " is no filter of runs; there are " + filter_names();
}

std::string filter_names() {
  std::string names;
  for (const Filter& each : kFilters) names += (names.empty() ? "" : ", ") + std::string(each.name);
  return names;
}

}  // namespace perdure::api
