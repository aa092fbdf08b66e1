// Large payloads on their way to a trigger: uploaded first, then named by it. They are kept in memory, for an hour and
// up to a limit of bytes, because the trigger that names one copies it into its run; after a restart a client has to
// upload again, which it is told. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/model/status.h"

namespace perdure::api {

struct Packet {
  std::string type;  // "application/super+json"
  std::string text;
};

class Packets {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Packets(std::size_t most_bytes = std::size_t{64} << 20) : most_bytes_(most_bytes) {}

  /// Keeps a packet; one of that name gives way. The oldest give way to it when there is no room.
  void put(const std::string& name, Packet packet, Time now);
  /// kNotFound says that it has to be uploaded again.
  [[nodiscard]] store::Result<Packet> get(const std::string& name, Time now) const;

 private:
  struct Entry {
    std::string name;
    Packet packet;
    Time put_at;
  };
  void drop(std::list<Entry>::iterator entry);

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // oldest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_;
  std::size_t bytes_ = 0;
};

}  // namespace perdure::api
