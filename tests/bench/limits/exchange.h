// The host's side of the bare zygote: keeps attempts moving and says when one has both its result and its exit status.
// Nothing is stored and nothing is retried. Single-threaded; aborts the benchmark when the machine refuses a call.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/bench/limits/wire.h"

namespace perdure::bench {

/// 200 bytes of JSON: the payload of every run here and of the product's.
std::string payload_200();

struct ZygoteFiles {
  std::string executable;  // perdure-bench-zygote
  std::string plugin;      // bench-echo.so
};

/// How runs meet children.
struct Shape {
  int in_flight = 1;        // runs under way at once
  int spares = 0;           // children forked ahead; 0: each run asks for its own
  long runs_per_child = 1;  // more than 1: a child goes back on the shelf after a run (needs spares)
};

class Exchange {
 public:
  /// Starts the zygote.
  Exchange(const ZygoteFiles& files, const Shape& shape);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Starts `run`. False: no spare is ready just now; step() and try again.
  bool begin(std::uint32_t run, std::string_view payload);

  /// Waits once for events, at most timeout_ms. `done(run, bytes of the result)` for every run that ended.
  void step(int timeout_ms, const std::function<void(std::uint32_t run, std::size_t bytes)>& done);

 private:
  struct Attempt {
    int fd;
    std::uint32_t run;
    std::size_t bytes;
    bool has_result;
    bool exited;
  };
  struct Spare {
    std::uint32_t id;
    int fd;
  };
  using Done = std::function<void(std::uint32_t, std::size_t)>;

  void watch(int fd, std::uint32_t id) const;
  void from_zygote(const Done& done);
  void from_attempt(std::uint32_t id, const Done& done);
  void settle(std::uint32_t id, const Done& done);

  Shape shape_;
  int epoll_ = -1;
  int control_ = -1;
  pid_t zygote_ = -1;
  std::uint32_t next_ = 1;
  std::vector<Spare> idle_;
  std::unordered_map<std::uint32_t, Attempt> attempts_;
};

}  // namespace perdure::bench
