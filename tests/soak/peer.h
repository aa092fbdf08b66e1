// A raw connection to a host for a client that does not behave: sends what it is told for as long as it is told, sees
// when the host has had enough. Single-threaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace perdure::soak {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class Peer {
 public:
  /// Connects to 127.0.0.1:port, with a small receive buffer for who is not going to read.
  explicit Peer(std::uint16_t port, bool small_buffer = false);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  /// Sends all of it, as far as the host takes it within `patience`. False when it has not.
  bool send(std::string_view bytes, milliseconds patience = milliseconds(60'000));
  void half_close() const;
  /// The status of the next answer, whose body is left in body(); 0 when the connection ends or `patience` does.
  int read(milliseconds patience = milliseconds(120'000));
  [[nodiscard]] const std::string& body() const { return body_; }
  /// The status of the next answer without taking anything of it, once it begins to come; 0 as for read().
  [[nodiscard]] int look(milliseconds patience = milliseconds(120'000)) const;
  /// Takes one byte that has come, if any.
  void take_byte() const;
  /// Whether something can be read, the end of the connection included, within that time.
  [[nodiscard]] bool readable(milliseconds within) const;
  /// Whether the host ends the connection within that time, with nothing more to read or by a reset.
  [[nodiscard]] bool ends(milliseconds within);
  /// Whether the host has reset the connection, or does within that time, however much there is to read.
  [[nodiscard]] bool is_reset(milliseconds within) const;

 private:
  bool receive(Clock::time_point until);

  int socket_;
  bool connected_ = false;
  std::string received_;
  std::string body_;
};

}  // namespace perdure::soak
