#include "host/api/auth/caller.h"

namespace perdure::api::auth {

std::string_view right_name(Right right) {
  switch (right) {
    case Right::kRead:
      return "read";
    case Right::kTrigger:
      return "trigger";
    case Right::kAdmin:
      break;
  }
  return "admin";
}

std::optional<Right> parse_right(std::string_view name) {
  for (const Right right : kRights) {
    if (right_name(right) == name) return right;
  }
  return std::nullopt;
}

}  // namespace perdure::api::auth
