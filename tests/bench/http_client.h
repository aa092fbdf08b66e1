// A lean HTTP/1.1 client on loopback: hand-written requests over raw sockets, answers cut by their content-length and
// not looked into further, so that what is measured is the server. Single-threaded.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

namespace perdure::bench {

struct Answer {
  int status = 0;
  std::string body;
};

/// The text of a request; key empty: no authorization header. A body makes it carry content-type and content-length.
std::string request_text(std::string_view method, std::string_view target, std::string_view key,
                         std::string_view body = {});

/// One keep-alive connection, one request at a time.
class Connection {
 public:
  /// Connects to 127.0.0.1:port; connected() tells whether it worked.
  explicit Connection(unsigned short port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return fd_ >= 0; }

  /// Sends `request` and blocks for its answer; dies when the server closes or is silent for 60 s.
  Answer ask(const std::string& request);

 private:
  int fd_ = -1;
  std::string received_;
};

/// How hard to press.
struct Load {
  int connections = 8;
  int depth = 1;  // requests under way on each connection (pipelining)
  long requests = std::numeric_limits<long>::max();
  double seconds = std::numeric_limits<double>::infinity();  // stop sending after
  /// With one request under way each: what a connection asks after an answer with that body; empty: the request.
  std::function<std::string(std::string_view body)> next{};
};
struct LoadResult {
  std::chrono::steady_clock::time_point started;
  long answers = 0;
  double seconds = 0;  // from the first request to the last answer
  std::string last_body;
};

/// Sends `request` again and again as `load` says; dies unless every answer is 200.
LoadResult press(unsigned short port, const std::string& request, const Load& load);

}  // namespace perdure::bench
