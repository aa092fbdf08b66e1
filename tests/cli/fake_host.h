// An HTTP server of a few answers, for the client verbs to talk to: loopback, any free port, one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace perdure::cli {

struct FakeRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
};

struct FakeAnswer {
  int status = 200;
  std::string body{};
  bool breaks_off = false;  // the connection closes in the middle of the body
};

class FakeHost {
 public:
  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// What "METHOD TARGET" is answered, one after the other; the last one again and again. Others get 404.
  void on(const std::string& request, std::vector<FakeAnswer> answers);
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<FakeRequest> requests() const;

 private:
  void serve();
  void talk(int connection);
  FakeAnswer answer_to(const FakeRequest& request);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<FakeAnswer>> answers_;
  std::vector<FakeRequest> requests_;
  std::thread thread_;
};

}  // namespace perdure::cli
