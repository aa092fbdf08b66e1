// An address on loopback that stays while the host behind it is another process each time: connections are passed on to
// the port of the moment, and end when the host's do. Threads of its own, which end with the object.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace perdure::test {

class Door {
 public:
  /// `url` as a host tells it: http://127.0.0.1:PORT.
  explicit Door(const std::string& url);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Where new connections go from now on.
  void lead_to(const std::string& url);

 private:
  void serve();
  void pass(int outside) const;

  std::atomic<std::uint16_t> behind_{0};
  int listener_ = -1;
  int over_ = -1;  // readable once all is to end
  std::uint16_t port_ = 0;
  std::vector<std::thread> passing_;
  std::thread serving_;
};

}  // namespace perdure::test
