// The host and the key that a program without words of its own uses: those that the command line would use. Reads the
// environment, which must not be changed by another thread meanwhile, and the file `secret` of a data directory.
#pragma once

#include <arpa/inet.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include <perdure/client/options.hpp>

namespace perdure::client {
namespace detail {

/// Whether `url` names this machine's loopback.
inline bool is_loopback(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1) == "::1";
  url = url.substr(0, url.rfind(':'));
  in_addr address{};
  return url == "localhost" ||
         (inet_pton(AF_INET, std::string(url).c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127);
}

/// Nothing when it is not set, or empty.
inline std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

/// A host's data directory when nobody says.
inline std::string usual_data_directory() {
  if (geteuid() == 0) return "/var/lib/perdure";
  if (const auto state = variable("XDG_STATE_HOME"); state && state->front() == '/') return *state + "/perdure";
  const auto home = variable("HOME");
  return home ? *home + "/.local/state/perdure" : "perdure-data";
}

}  // namespace detail

/// The host at PERDURE_URL (else http://127.0.0.1:3030) with the key in PERDURE_API_KEY, else in the file `secret` of
/// PERDURE_DATA, else, for a host on this machine, of the usual data directory.
inline Options options_from_environment() {
  Options options;
  options.url = detail::variable("PERDURE_URL").value_or(options.url);
  if (const auto key = detail::variable("PERDURE_API_KEY")) {
    options.key = *key;
    options.key_source = "PERDURE_API_KEY";
    return options;
  }
  const auto data = detail::variable("PERDURE_DATA");
  if (!data && !detail::is_loopback(options.url)) {
    options.key_source = "PERDURE_API_KEY, which is not set; this machine's own key is not sent to other machines";
    return options;
  }
  options.key_source = data.value_or(detail::usual_data_directory()) + "/secret";
  std::ifstream(options.key_source) >> options.key;
  return options;
}

}  // namespace perdure::client
