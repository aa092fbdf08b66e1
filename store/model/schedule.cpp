// Names of what a schedule's enums hold; see schedule.h.
#include "store/model/schedule.h"

namespace perdure::store {

std::string_view schedule_type_name(ScheduleType type) {
  return type == ScheduleType::kDeclarative ? "DECLARATIVE" : "IMPERATIVE";
}

std::string_view catch_up_name(CatchUp catch_up) {
  switch (catch_up) {
    case CatchUp::kNone:
      return "none";
    case CatchUp::kAll:
      return "all";
    case CatchUp::kLatest:
      break;
  }
  return "latest";
}

std::string_view overlap_name(Overlap overlap) {
  switch (overlap) {
    case Overlap::kSkip:
      return "skip";
    case Overlap::kQueueOne:
      return "queue_one";
    case Overlap::kCancelPrevious:
      return "cancel_previous";
    case Overlap::kAllow:
      break;
  }
  return "allow";
}

std::optional<CatchUp> parse_catch_up(std::string_view name) {
  for (const CatchUp each : {CatchUp::kNone, CatchUp::kLatest, CatchUp::kAll}) {
    if (name == catch_up_name(each)) return each;
  }
  return std::nullopt;
}

std::optional<Overlap> parse_overlap(std::string_view name) {
  for (const Overlap each : {Overlap::kAllow, Overlap::kSkip, Overlap::kQueueOne, Overlap::kCancelPrevious}) {
    if (name == overlap_name(each)) return each;
  }
  return std::nullopt;
}

}  // namespace perdure::store
