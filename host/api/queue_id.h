// The id of a queue, "queue_" and the name in base 32: letters and digits, the same for ever, and no table to look it
// up in. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/model/ids.h"

namespace perdure::api {

std::string queue_id(const store::QueueName& queue);
/// Nothing when no queue can have that id.
std::optional<store::QueueName> queue_with_id(std::string_view id);

}  // namespace perdure::api
