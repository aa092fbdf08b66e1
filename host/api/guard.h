// Who may ask: the host name a request was sent to, the page it came from, the key it carries. The first two keep a web
// page that a visitor's browser has open from reaching a host on loopback by DNS rebinding. Immutable; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/http.h"

namespace perdure::api {

/// Whether the two are equal, in a time that depends on their lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

class Guard {
 public:
  Guard(std::string key, const std::vector<std::string>& host_names);

  /// Checks Host and Origin: an answer that refuses (400, 403), or nothing. Loopback names, addresses and the
  /// configured names may be reached; pages from loopback, from those names and from the same host may ask.
  [[nodiscard]] std::optional<Response> check_host(const Request& request) const;

  /// Checks the bearer key: an answer that refuses (401), or nothing.
  [[nodiscard]] std::optional<Response> check_key(const Request& request) const;

 private:
  [[nodiscard]] bool is_ours(std::string_view name) const;

  std::string key_;
  std::vector<std::string> host_names_;
};

}  // namespace perdure::api
