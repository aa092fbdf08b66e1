// A small HTTP client for the client verbs: one request at a time, over one kept-alive connection, http and https.
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/model/status.h"

namespace perdure::cli {

struct Answer {
  long status = 0;
  std::string body;  // empty where its lines were given to a function
};

class HttpClient {
 public:
  /// `url`: http://HOST:PORT, to which paths are appended. `key` is sent as the bearer; empty: none.
  HttpClient(std::string url, std::string key);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// kUnavailable when nobody answers there; kIo when the answer broke off. Any HTTP status is an answer.
  store::Result<Answer> get(const std::string& path);
  /// `request_key` names the call, so that a host asked twice does it once; see the contract's request idempotency.
  store::Result<Answer> post(const std::string& path, const std::string& body, const std::string& request_key);
  /// The same with lines of JSON as its body.
  store::Result<Answer> post_lines(const std::string& path, const std::string& lines);
  store::Result<Answer> put(const std::string& path, const std::string& body);
  /// DELETE.
  store::Result<Answer> remove(const std::string& path);

  /// Gets a body line by line as it arrives; a 2xx answer's lines go to `on_line`, any other one's are its `body`.
  /// `on_tick` is called about once a second meanwhile; it may be empty.
  store::Result<Answer> lines(const std::string& path, const std::function<void(std::string_view line)>& on_line,
                              const std::function<void()>& on_tick);

 private:
  struct Transfer;
  store::Result<Answer> perform(Transfer& transfer, const std::string& path);

  std::string url_;
  std::string key_;
  void* easy_ = nullptr;  // CURL
};

/// Whether `url` names this machine's loopback.
bool is_loopback_url(std::string_view url);

/// `text` as one segment of a path, or a value of a query: everything but letters, digits and -._~ percent-encoded.
std::string percent_encoded(std::string_view text);

}  // namespace perdure::cli
