// A real perdure-zygote, driven over its raw control socket as the host would: for tests that look at single frames.
// Every wait has a deadline and fails the test by saying what was awaited. Single-threaded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "host/protocol/frame.h"

namespace perdure::zygote::test {

inline constexpr std::chrono::seconds kPatience{20};

/// The thread sanitizer holds signals back while it loads a library and starts a thread of its own; sanitizers have no
/// room for our pthread_create.
#ifdef PERDURE_SANITIZE_THREAD
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

/// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

/// The host's ends of one child.
struct Attempt {
  std::uint64_t id = 0;
  pid_t pid = -1;
  Fd link, out, err;

  bool start(std::uint32_t task, std::string_view payload, std::string_view info = {}) const;
  void confirm(bool recycle = false) const;
  void cancel(std::uint32_t why = 1) const;
  void resume() const;
  /// Another host has taken over.
  void adopt() const;
  /// The next frame of this kind; others before it are dropped. Nothing after the deadline or the link's end.
  std::optional<protocol::Incoming> next(protocol::Kind kind, std::chrono::milliseconds patience = kPatience) const;
  /// Whatever comes next; nothing at the link's end.
  std::optional<protocol::Incoming> next_frame(std::chrono::milliseconds patience = kPatience) const;
  /// All of what the child writes to its standard output until that is closed.
  std::string read_output() const;
};

struct Exit {
  std::uint64_t id = 0;
  pid_t pid = -1;
  protocol::ExitReport report{};
};

class ZygoteProcess {
 public:
  /// Starts a zygote for the file at `plugin`, with these NAME=value added to its environment. `self_test`: how long the
  /// plugin's may take; zero does not ask for it.
  explicit ZygoteProcess(const std::string& plugin, const std::vector<std::string>& variables = {},
                         std::chrono::milliseconds self_test = {});
  ~ZygoteProcess();
  ZygoteProcess(const ZygoteProcess&) = delete;
  ZygoteProcess& operator=(const ZygoteProcess&) = delete;

  pid_t pid() const { return pid_; }
  int control() const { return control_.get(); }
  /// json of kLoaded; empty when it did not come.
  std::string manifest();
  /// json of kRefused; empty when it did not come.
  std::string refusal();
  /// Asks for a child and waits until it runs.
  Attempt fork();
  void send_fork(std::uint64_t id, const int* fds, int count) const;
  void send(protocol::Kind kind, std::uint64_t id, std::uint32_t arg) const;
  /// The next spare the zygote tells of.
  Attempt next_spare();
  /// The exit of this child, whatever else is told before.
  std::optional<Exit> exit_of(std::uint64_t id, std::chrono::milliseconds patience = kPatience);
  /// The next frame of this kind; others stay for later.
  std::optional<protocol::Incoming> next(protocol::Kind kind, std::chrono::milliseconds patience = kPatience);
  /// Closes the control link.
  void hang_up() { control_.reset(); }
  /// The wait status of the zygote itself; nothing when it does not end in time.
  std::optional<int> wait();

 private:
  pid_t pid_ = -1;
  Fd control_;
  std::deque<protocol::Incoming> kept_;
  std::uint64_t next_id_ = 1;
};

/// The value of the member `key` in a flat JSON object as text, quotes removed.
std::string member(std::string_view json, std::string_view key);

/// Waits until `condition` holds; false when it does not in time.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace perdure::zygote::test
