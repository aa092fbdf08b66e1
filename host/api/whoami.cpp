// GET /api/v1/whoami, /api/v2/whoami: whom a key belongs to. Command-line clients ask before they do anything; a host
// knows keys and no people, so the key stands for its bearer.
#include <string>

#include "host/api/api.h"
#include "host/api/json_text.h"
#include "host/api/waitpoint_json.h"

namespace perdure::api {

Handling who_am_i(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const std::string key = request.caller && !request.caller->key.empty() ? request.caller->key : "root";
  JsonText json;
  // An address that can belong to nobody (RFC 2606), since clients insist on one.
  json.begin_object().text("userId", key).text("email", key + "@perdure.invalid");
  json.text("dashboardUrl", base_of(request, api.options.listen)).end_object();
  exchange->reply(ok(json.take()));
  co_return;
}

}  // namespace perdure::api
