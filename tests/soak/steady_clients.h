// Clients that behave, many of them on one thread: each triggers a run, retrieves it, waits for its end, and begins
// again on the same connection. Every answer is looked into.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace perdure::soak {

struct Steadiness {
  std::vector<std::string> wrong{};  // what a client got instead of its answer
  std::vector<std::string> runs{};   // acknowledged, each of which was seen to complete with its output
  long requests = 0;
  std::chrono::milliseconds slowest{0};  // answer but to who waits for a run's end
};

class SteadyClients {
 public:
  SteadyClients(std::uint16_t port, std::string key, std::size_t connections);
  ~SteadyClients();
  SteadyClients(const SteadyClients&) = delete;
  SteadyClients& operator=(const SteadyClients&) = delete;

  /// [any thread] Requests answered so far.
  [[nodiscard]] long requests() const { return requests_; }
  /// [any thread] Whether all is well so far.
  [[nodiscard]] bool content() const { return content_; }
  /// Lets each finish what it has begun, and tells how it was.
  Steadiness end();

 private:
  class Lane;
  void work();

  const std::uint16_t port_;
  const std::string key_;
  const std::size_t connections_;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> content_ = true;
  std::atomic<long> requests_ = 0;
  Steadiness result_;  // of the thread, until it has ended
  std::thread thread_;
};

}  // namespace perdure::soak
