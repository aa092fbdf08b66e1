// Which coroutine answers which request. Everything that can be refused by a request's head alone is refused there,
// before its body is read: unknown routes, wrong methods, missing keys, foreign hosts. Immutable; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/api/api.h"
#include "host/api/exchange.h"
#include "host/api/guard.h"
#include "host/api/handling.h"

namespace perdure::api {

using Route = Handling (*)(Api& api, ExchangePtr exchange);

/// A route's method and path, with "*" for what the path leaves open: "/api/v3/runs/*".
struct RouteName {
  Method method;
  std::string path;
};
/// Every route there is.
std::vector<RouteName> route_names();

class Router {
 public:
  explicit Router(Api& api);

  /// By the head of `request` (its body is not looked at): the route that answers it, with request.argument set, or
  /// the answer that refuses it.
  std::variant<Route, Response> admit(Request& request) const;

  /// Whether a page asks, for what pages of every origin may ask for: it is to be let see the answer, a refusal as
  /// well.
  static bool is_from_a_page(const Request& request);

  /// Whether what is sent to `path` may be as large as Limits::batch_body.
  static bool takes_items(const std::vector<std::string>& path);

  /// Starts the route's coroutine.
  void answer(Route route, ExchangePtr exchange) const { route(api_, std::move(exchange)); }

 private:
  Api& api_;
  Guard guard_;
};

}  // namespace perdure::api
