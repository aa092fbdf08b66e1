// An HTTP server on loopback that gives canned answers, one after the other, and remembers what it was asked. A
// connection ends after an answer that says "Connection: close", or with the other side. Its thread ends with the last
// answer, or when it is destroyed.
#pragma once

#include <string>
#include <thread>
#include <vector>

namespace perdure::test {

class CannedServer {
 public:
  /// Each answer is sent as it is. An empty one leaves its connection open, without an answer, until the other side
  /// closes it.
  explicit CannedServer(std::vector<std::string> answers);
  ~CannedServer();
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  /// The requests until now, headers and body; once all answers are given.
  const std::vector<std::string>& requests();
  /// How many connections brought them; once all answers are given.
  int connections();
  /// Blocks until a request has come; called again, until the next one has.
  void await_request();

 private:
  void serve();
  bool next_request(int& connection);
  std::string read_request(int connection) const;

  std::vector<std::string> answers_;
  std::vector<std::string> requests_;
  int listener_;
  int asked_;  // counts requests
  int port_ = 0;
  int accepted_ = 0;
  std::thread thread_;
};

/// A whole answer with its Content-Length, after which the connection ends.
std::string answer(int status, const std::string& headers, const std::string& body);

}  // namespace perdure::test
