// The items of a batch as they are sent: NDJSON, one item in each line. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "host/api/http.h"
#include "host/api/packets.h"
#include "host/engine/engine.h"
#include "store/model/ids.h"

namespace perdure::api {

struct BatchLine {
  std::uint32_t index = 0;
  engine::TriggerRequest request;
  std::string_view text;  // the line
};
/// Reads one line, {"index":n,"task":id,"payload":…?,"options":{…}?}, of a batch of `count` items. Otherwise the answer
/// that refuses it; `packets`: where stored payloads are. 400 for a line that is no JSON object, 422 for what is in it.
std::variant<BatchLine, Response> read_batch_line(std::string_view line, std::uint32_t count, store::Time now,
                                                  bool allow_pending, const Packets* packets = nullptr);

struct BatchLines {
  std::map<std::uint32_t, BatchLine> items;  // by index; of lines with one index the first
  std::size_t repeated = 0;                  // … and the others
};
/// Reads all lines of `body`, which outlives the result; blank ones are skipped. Or the answer that refuses the first
/// that is wrong, which says which.
std::variant<BatchLines, Response> read_batch_lines(std::string_view body, std::uint32_t count, store::Time now,
                                                    bool allow_pending, const Packets* packets = nullptr);

}  // namespace perdure::api
