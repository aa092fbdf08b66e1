// The conversation of live updates, Electric's long-polling shape stream as the public contract narrows it: a first
// request is answered with the rows there are, each further one with what has changed since the offset that it brings,
// at once or when something does; and with nothing new when it has been held for long enough. Functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/api/api.h"
#include "host/api/realtime/run_row.h"

namespace perdure::api {

/// What a request asks for.
struct ShapeQuery {
  std::string offset;  // "-1": from the beginning
  std::string handle;  // of the subscription; empty: it is new
  bool live = false;   // wait for a change
  Columns columns = 0;
};
/// Reads it, also what the caller's public access token leaves out, and lets go of the request's head, which is no
/// longer needed: many requests are held at the same time.
ShapeQuery read_shape_query(Request& request);

/// How long a live request is held without news: the limit, a little more or less, so that those that began together do
/// not end together.
SteadyTime held_until(const Api& api, const Request& request);

enum class Operation : std::uint8_t { kInsert, kUpdate };

/// The messages of one answer.
class ShapeMessages {
 public:
  /// A row of the run; a JSON object.
  void add(Operation operation, const store::RunId& run, std::string_view row);
  /// The answer: these messages, and that nothing is newer.
  Response answer(const ShapeQuery& query, const std::string& offset, const std::string& handle) &&;

 private:
  std::string body_ = "[";
};

/// 409: the subscription is not known here, any more; the client begins again.
Response must_refetch();

}  // namespace perdure::api
