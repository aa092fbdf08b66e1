// Error answers: {"error": sentence, ...} with the headers that clients act on. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "host/api/http.h"
#include "host/schema/schema.h"
#include "store/model/status.h"

namespace perdure::api {

/// {"error": sentence}. Every 4xx, 501 and 505 say that asking again is pointless, 503 when to ask again.
Response error_response(unsigned status, std::string_view sentence);

/// The same from a failed Status: 404, 422, 507, 503, 500.
Response error_response(const store::Status& status);

/// 400 for a query parameter: {"error":"Query Error","details":[{"code","message","path"}]}.
Response query_error(std::string_view parameter, std::string_view message);

/// 400 for a body that does not parse: {"error":"Invalid request body: …","issues":[{"code","message","path":[]}]}.
Response body_error(std::string_view message);

/// 422 for a trigger option: {"error":"options.NAME …","issues":[{"code","message","path":["options",NAME]}]}.
Response option_error(std::string_view option, std::string_view message);

/// 422 for a payload: {"error":sentence,"issues":[{"code","message","path":["payload",…],"pointer"}]}.
Response payload_error(std::string_view sentence, const schema::Fault& fault);

/// 404: the thing of that kind and name does not exist.
Response no_such(std::string_view kind, std::string_view name);

}  // namespace perdure::api
