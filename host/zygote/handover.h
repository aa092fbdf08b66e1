// From one host to the next: what a zygote was given for the case that its host dies (kKeep), and the socket on which
// the next host finds it. A host needs to hold the data directory before it looks for zygotes, so that there is never
// more than one of them. Single-threaded; the fork server's.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "host/protocol/frame.h"

namespace perdure::zygote {

class Handover {
 public:
  using Clock = std::chrono::steady_clock;

  Handover() = default;
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// A kKeep frame: listens from now on. Something that is missing leaves it as it is.
  void prepare(protocol::Incoming& keep);
  /// Whether children may outlive the host.
  [[nodiscard]] bool prepared() const { return listener_ >= 0; }
  [[nodiscard]] int roster() const { return roster_; }

  /// The host is gone. Returns which children it had given attempts, by their link ids in ascending order; when to give
  /// up is deadline().
  std::vector<std::uint64_t> begin();
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }

  /// Becomes readable when a host has come.
  [[nodiscard]] int listener() const { return listener_; }
  /// The link to that host; -1 when nobody came who may be one.
  [[nodiscard]] int accept() const;

  /// Nobody is to find this zygote any more.
  void end();

 private:
  int roster_ = -1, directory_ = -1, listener_ = -1;
  std::chrono::seconds patience_{0};
  Clock::time_point deadline_{};
};

}  // namespace perdure::zygote
