#include "host/api/debounce_option.h"

#include <optional>
#include <utility>

#include "host/api/json_members.h"
#include "store/model/debounce.h"
#include "store/model/duration.h"

namespace perdure::api {

std::string read_debounce(std::string_view value, store::Time, engine::TriggerRequest& request) {
  const std::string expected = R"(must be {"key": text, "delay": a duration of 1s or more, "mode"?: "leading" or )"
                               R"("trailing", "maxDelay"?: a duration})";
  const auto members = json_members(value);
  if (!members) return expected;
  const auto text = [&](std::string_view name) -> std::optional<std::string> {
    const auto member = find_member(*members, name);
    return member ? json_string(*member) : std::nullopt;
  };
  const auto duration = [&](std::string_view name) -> std::optional<store::Duration> {
    const auto written = text(name);
    const auto read = written ? store::parse_duration(*written) : store::Status::invalid("no text");
    return read ? std::optional(*read) : std::nullopt;
  };
  store::Debounce debounce;
  const std::string mode = find_member(*members, "mode") ? text("mode").value_or("") : "leading";
  const auto delay = duration("delay");
  if (!delay || (mode != "leading" && mode != "trailing")) return expected;
  debounce.key = text("key").value_or("");
  debounce.delay = *delay;
  debounce.trailing = mode == "trailing";
  if (find_member(*members, "maxDelay")) {
    debounce.max_delay = duration("maxDelay");
    if (!debounce.max_delay) return expected;
  }
  if (const store::Status checked = store::check_debounce(debounce); !checked) return checked.message();
  request.debounce = std::move(debounce);
  return {};
}

}  // namespace perdure::api
