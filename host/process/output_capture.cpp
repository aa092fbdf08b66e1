#include "host/process/output_capture.h"

#include <errno.h>

#include <array>

#include "host/os/channels.h"
#include "host/process/utf8_text.h"

namespace perdure::process {
namespace {

// A pipe holds 64 KiB, and at most 1 MiB when its owner enlarges it.
constexpr int kDrainTurns = 18;

std::array<char, kOutputPerTurn>& buffer() {
  static thread_local std::array<char, kOutputPerTurn> bytes;
  return bytes;
}

}  // namespace

// The task may read its own pipe behind our back, so a count of readable bytes does not make a read safe.
bool OutputCapture::prepare() {
  if (!nonblocking_) nonblocking_ = os::set_nonblocking(pipe_.get());
  return nonblocking_;
}

OutputCapture::Turn OutputCapture::read(LineSink& sink) {
  if (!pipe_) return Turn::kEnded;
  const ssize_t got = prepare() ? ::read(pipe_.get(), buffer().data(), buffer().size()) : 0;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Turn::kEmpty;
  if (got <= 0) return Turn::kEnded;
  split({buffer().data(), static_cast<std::size_t>(got)}, sink);
  return static_cast<std::size_t>(got) == buffer().size() ? Turn::kMore : Turn::kEmpty;
}

void OutputCapture::drain(LineSink& sink) {
  if (pipe_ && os::readable_bytes(pipe_.get()) > 0) {
    for (int turn = 0; turn < kDrainTurns && read(sink) == Turn::kMore; turn++) {
    }
  }
  flush(sink);
}

void OutputCapture::discard() {
  partial_.clear();
  if (!pipe_ || os::readable_bytes(pipe_.get()) == 0 || !prepare()) return;
  for (int turn = 0; turn < kDrainTurns; turn++) {
    if (::read(pipe_.get(), buffer().data(), buffer().size()) < static_cast<ssize_t>(buffer().size())) return;
  }
}

void OutputCapture::split(std::string_view bytes, LineSink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    std::string_view line = piece;
    if (!partial_.empty()) {
      partial_ += piece;
      line = partial_;
    }
    while (line.size() > kMaxLine) {
      const std::size_t cut = whole_characters(line, kMaxLine);
      sink.on_line(is_stderr_, line.substr(0, cut));
      line.remove_prefix(cut);
    }
    if (end != std::string_view::npos) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      sink.on_line(is_stderr_, line);
      partial_.clear();
    } else {
      partial_ = std::string(line);
    }
  }
}

void OutputCapture::flush(LineSink& sink) {
  if (partial_.empty()) return;
  const std::string rest = std::exchange(partial_, {});
  sink.on_line(is_stderr_, rest);
}

}  // namespace perdure::process
