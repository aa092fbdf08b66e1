// What is stored of queues, as bytes; see records.h. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/queue.h"
#include "store/model/rate_window.h"
#include "store/model/status.h"

namespace perdure::store::rocks {

std::string encode(const QueueSettings& settings);
std::string encode(const RateWindow& window);

Result<QueueSettings> decode_queue(std::string_view bytes);
Result<RateWindow> decode_window(std::string_view bytes);

}  // namespace perdure::store::rocks
