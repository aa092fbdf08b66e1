// Who may ask: the host name a request was sent to, the page it came from, the key it carries. The first two keep a web
// page that a visitor's browser has open from reaching a host on loopback by DNS rebinding. What the bearer of a key
// may then do is access.h's matter. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/auth/failures.h"
#include "host/api/auth/key_ring.h"
#include "host/api/http.h"

namespace perdure::api {

class Guard {
 public:
  Guard(const auth::KeyRing& keys, const std::vector<std::string>& host_names);

  /// Checks Host: an answer that refuses (400, 403), or nothing. Loopback names, addresses and the configured names may
  /// be reached.
  [[nodiscard]] std::optional<Response> check_host(const Request& request) const;

  /// Checks Origin: an answer that refuses (403), or nothing. Pages from loopback, from the configured names and from
  /// the same host may ask for everything, others for what `for_browsers` says: what is there for pages shows nothing
  /// to who has no key or token to send along.
  [[nodiscard]] std::optional<Response> check_origin(const Request& request, bool for_browsers) const;

  /// Finds out who asks, and notes it in request.caller: an answer that refuses (401; 429 for whom
  /// that has happened too often), or nothing.
  [[nodiscard]] std::optional<Response> check_key(Request& request) const;

 private:
  [[nodiscard]] Response refuse_key(const Request& request, std::string_view why) const;
  [[nodiscard]] bool is_ours(std::string_view name) const;

  const auth::KeyRing& keys_;
  mutable auth::Failures failures_;
  std::vector<std::string> host_names_;
};

}  // namespace perdure::api
