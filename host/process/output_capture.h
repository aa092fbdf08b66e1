// One of a child's output pipes, read in turns and split into lines. Reading never waits, and one turn reads a bounded
// amount, so that a chatty attempt starves nobody. Core thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "host/os/unique_fd.h"

namespace perdure::process {

/// Longer lines are delivered in pieces of at most this many bytes.
inline constexpr std::size_t kMaxLine = std::size_t{16} << 10;
/// What one turn reads at most.
inline constexpr std::size_t kOutputPerTurn = std::size_t{64} << 10;

class LineSink {
 public:
  virtual ~LineSink() = default;
  /// A line without its end, not yet known to be UTF-8. Borrowed for the call.
  virtual void on_line(bool is_stderr, std::string_view line) = 0;
};

class OutputCapture {
 public:
  OutputCapture(os::UniqueFd pipe, bool is_stderr) : pipe_(std::move(pipe)), is_stderr_(is_stderr) {}

  [[nodiscard]] int fd() const { return pipe_.get(); }

  enum class Turn : std::uint8_t { kMore, kEmpty, kEnded };
  /// Reads at most kOutputPerTurn bytes. kEnded: every writer is gone, or the pipe is of no use.
  Turn read(LineSink& sink);
  /// Reads what is in the pipe, at most what one can hold, and delivers an unfinished last line.
  void drain(LineSink& sink);
  /// Reads and forgets what is there.
  void discard();
  void close() { pipe_.reset(); }
  bool watched = false;  // is in the set of descriptors

 private:
  bool prepare();
  void split(std::string_view bytes, LineSink& sink);
  void flush(LineSink& sink);

  os::UniqueFd pipe_;
  bool is_stderr_;
  bool nonblocking_ = false;
  std::string partial_;
};

}  // namespace perdure::process
