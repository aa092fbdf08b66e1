// Clients that do what clients do by mistake or in malice, each kind again and again on a thread of its own, and
// whether the host has dealt with them as it is to.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace perdure::soak {

/// What has become of one kind.
struct Treatment {
  std::string kind;
  long as_expected = 0;
  long turned_away = 0;                  // there was no place: 503
  std::vector<std::string> wrong{};      // what should not have happened
  std::chrono::milliseconds longest{0};  // from connecting to being dealt with
};

class BadClients {
 public:
  /// Begins. `large_run` is the id of a run whose document is large, for those who do not read it; `idle` is how many
  /// connections are kept open and do nothing.
  BadClients(std::uint16_t port, const std::string& key, const std::string& large_run, std::size_t idle);
  ~BadClients();
  BadClients(const BadClients&) = delete;
  BadClients& operator=(const BadClients&) = delete;

  /// [any thread] Whether each kind has been dealt with at least once.
  [[nodiscard]] bool all_done() const;
  /// Ends them, and tells what has become of them.
  std::vector<Treatment> end();

 private:
  struct Kind;
  bool pause();
  std::vector<std::unique_ptr<Kind>> kinds_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::atomic<bool> ending_ = false;
};

}  // namespace perdure::soak
