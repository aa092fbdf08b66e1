// The connections of a client: kept open from one request to the next, one for each request that is under way at once.
// Any thread.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include <perdure/client/environment.hpp>
#include <perdure/client/options.hpp>
#include <perdure/http_exchange.hpp>

namespace perdure::client::detail {

using perdure::retry::HttpRequest;
using perdure::retry::HttpResponse;
using perdure::retry::detail::NoResponse;
using perdure::retry::detail::Transfer;

class Connections {
 public:
  explicit Connections(const Options& options) : options_(options) { curl_global_init(CURL_GLOBAL_DEFAULT); }
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Makes the exchange once, without following redirects. `stop` ends it early: that is NoResponse too. What of a
  /// response came is not in `response` when it fails.
  std::optional<NoResponse> exchange(const HttpRequest& request, milliseconds timeout, const std::stop_token& stop,
                                     HttpResponse& response) {
    std::unique_ptr<Transfer> transfer = taken();
    std::optional<NoResponse> failed =
        perdure::retry::detail::prepare(*transfer, request, timeout, options_.most_answer);
    if (!failed && !set_up(*transfer)) failed = NoResponse{.hopeless = true, .why = "libcurl refuses the options"};
    if (!failed) {
      const CURLcode code = drive(*transfer, stop);
      failed = perdure::retry::detail::conclude(*transfer, code, response);
      if (failed && code == CURLE_ABORTED_BY_CALLBACK) failed->why = "it was stopped";
      // To libcurl a head that breaks off is a whole answer, without a body.
      const bool framed = response.headers.contains("content-length") || response.headers.contains("transfer-encoding");
      if (!failed && response.body.empty() && !framed && response.status != 204) {
        failed = NoResponse{.why = "the answer broke off"};
      }
    }
    if (failed) return failed;  // and the connection goes with its transfer
    transfer->clear();
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMostIdle) idle_.push_back(std::move(transfer));
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kMostIdle = 16;

  std::unique_ptr<Transfer> taken() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Transfer> transfer = std::move(idle_.back());
        idle_.pop_back();
        return transfer;
      }
    }
    return std::make_unique<Transfer>();
  }

  bool set_up(Transfer& transfer) const {
    bool good = true;
    const auto set = [&](auto option, auto value) {
      good = good && curl_easy_setopt(transfer.easy, option, value) == CURLE_OK;
    };
    set(CURLOPT_FOLLOWLOCATION, 0L);  // the key is for this host
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_USERAGENT, "perdure-client");
    if (is_loopback(options_.url)) set(CURLOPT_NOPROXY, "*");
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    return good;
  }

  static CURLcode drive(Transfer& transfer, const std::stop_token& stop) {
    const std::stop_callback wake(stop, [&transfer] { curl_multi_wakeup(transfer.multi); });
    for (;;) {
      if (stop.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
      int running = 0, left = 0;
      if (curl_multi_perform(transfer.multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (const CURLMsg* message = curl_multi_info_read(transfer.multi, &left)) return message->data.result;
      (void)curl_multi_poll(transfer.multi, nullptr, 0, 1000, nullptr);
    }
  }

  const Options& options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Transfer>> idle_;  // under mutex_
};

}  // namespace perdure::client::detail
