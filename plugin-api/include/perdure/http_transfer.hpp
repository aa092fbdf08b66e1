// One HTTP exchange over libcurl, as retry_http.hpp makes them. The attempt's thread. Only for plugins that link
// libcurl.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <optional>

#include <perdure/attempt.hpp>
#include <perdure/http_exchange.hpp>

namespace perdure::retry::detail {

/// Drives the transfer to its end, or leaves the task function when the attempt must stop.
inline CURLcode drive(Transfer& transfer, Attempt& run) {
  const StopToken stop = run.stop_token();
  curl_waitfd stopped{stop.descriptor(), CURL_WAIT_POLLIN, 0};
  const bool pollable = stopped.fd >= 0;
  for (;;) {
    run.stop_if_requested();
    int running = 0, left = 0;
    if (curl_multi_perform(transfer.multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (const CURLMsg* message = curl_multi_info_read(transfer.multi, &left)) return message->data.result;
    (void)curl_multi_poll(transfer.multi, &stopped, pollable ? 1 : 0, pollable ? 1000 : 50, nullptr);
  }
}

/// Makes the exchange once, following up to ten redirects. Nothing of a response is in `response` when it fails.
inline std::optional<NoResponse> exchange(Attempt& run, const HttpRequest& request,
                                          std::optional<std::chrono::milliseconds> timeout, std::size_t most_body,
                                          HttpResponse& response) {
  Transfer transfer;
  if (std::optional<NoResponse> never = prepare(transfer, request, timeout, most_body)) return never;
  const CURLcode code = drive(transfer, run);
  return conclude(transfer, code, response);
}

}  // namespace perdure::retry::detail
