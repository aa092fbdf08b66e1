// Bytes -> requests. Boost.Beast's parser, and around it the checks that it leaves out: one Host header and no more, no
// transfer coding but chunked, no folded headers, no absolute targets. The only file of the host that knows Beast.
// Thread: its connection's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/http.h"

namespace perdure::api {

class RequestParser {
 public:
  enum class Progress {
    kMore,    // all was taken; more bytes are needed
    kHead,    // the head is complete: request() has everything but the body
    kDone,    // the request is complete
    kFailed,  // it is none: see failure(); the connection cannot go on
  };

  /// How large a body may be, by the segments of the path that it is sent to.
  using BodyLimit = std::function<std::size_t(const std::vector<std::string>& path)>;

  RequestParser(std::size_t head_limit, BodyLimit body_limit);
  ~RequestParser();

  /// Takes bytes off the front of `bytes` until something is to be told. After kDone the next call begins a request.
  Progress feed(std::string_view& bytes);

  /// Whether a request has begun: some of its bytes were taken.
  [[nodiscard]] bool begun() const;

  [[nodiscard]] Request& request();

  /// What has been read of the request's head, in whatever state it is; null before it is complete.
  [[nodiscard]] const Request* head() const;

  // Valid from kHead on.
  [[nodiscard]] bool has_body() const;               // some bytes of a body are still to come
  [[nodiscard]] std::size_t content_length() const;  // 0 when it is chunked
  [[nodiscard]] std::size_t body_limit() const;      // how large the body may be
  [[nodiscard]] bool expects_continue() const;       // the client waits for "100 Continue" before it sends the body
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http_10() const;
  /// The body will be taken and forgotten.
  void discard_body();

  /// The answer to what is no request: 400, 413, 414, 431, 501, 505.
  [[nodiscard]] Response failure() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure::api
