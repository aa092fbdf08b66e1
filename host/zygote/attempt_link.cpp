#include "host/zygote/attempt_link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "host/zygote/crash.h"

namespace perdure::zygote {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::ReceiveResult;
using std::chrono::milliseconds;

constexpr std::size_t kReaderStack = std::size_t{256} << 10;
constexpr milliseconds kIdle{30'000};
constexpr milliseconds kLookEvery{1};

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

}  // namespace

bool AttemptLink::send(const protocol::Outgoing& frame) {
  const protocol::SendResult result = protocol::send(socket_, frame, true);
  if (result == protocol::SendResult::kPeerGone) gone_.store(true, std::memory_order_relaxed);
  return result == protocol::SendResult::kSent;
}

bool AttemptLink::receive(Incoming& frame) {
  std::unique_lock lock(reading_);
  for (;;) {
    if (kept_ != nullptr && !kept_->empty()) {
      frame = std::move(kept_->front());
      kept_->pop_front();
      return true;
    }
    if (host_gone()) return false;
    if (reader_.load()) {
      arrived_.wait(lock);
      continue;
    }
    if (receiver_.receive(socket_, frame, true) != ReceiveResult::kFrame) {
      gone_.store(true);
      return false;
    }
    if (!take_note(frame)) return true;
  }
}

// Reads what is there; the caller holds reading_.
void AttemptLink::drain() {
  for (;;) {
    switch (receiver_.receive(socket_, scratch_, false)) {
      case ReceiveResult::kFrame:
        break;
      case ReceiveResult::kWouldBlock:
        return;
      default:
        gone_.store(true);
        arrived_.notify_all();
        return;
    }
    if (!take_note(scratch_)) keep(std::move(scratch_));
  }
}

// True when the frame is not for the main thread.
bool AttemptLink::take_note(const Incoming& frame) {
  const int fd = cancel_fd_.load();
  switch (frame.kind) {
    case Kind::kCancel:
      cancelled_.store(frame.arg != 0 ? frame.arg : 1);
      if (fd >= 0) (void)eventfd_write(fd, 1);
      return true;
    case Kind::kResume:
      crash_resumed.store(true);
      return true;
    case Kind::kStart: {  // a cancel that came before it was for an attempt that is over
      cancelled_.store(0);
      eventfd_t value = 0;
      if (fd >= 0) (void)eventfd_read(fd, &value);
      return false;
    }
    default:
      return false;
  }
}

void AttemptLink::keep(Incoming&& frame) {
  if (kept_ == nullptr) kept_ = new std::deque<Incoming>;
  kept_->push_back(std::move(frame));
  arrived_.notify_all();
}

std::uint32_t AttemptLink::cancelled() {
  const std::uint32_t known = cancelled_.load(std::memory_order_relaxed);
  if (known != 0 || reader_.load(std::memory_order_relaxed)) return known;
  const std::int64_t time = now().time_since_epoch().count();
  if (time < look_again_.load(std::memory_order_relaxed)) return 0;
  const std::unique_lock lock(reading_, std::try_to_lock);
  if (!lock.owns_lock() || host_gone()) return cancelled_.load();
  look_again_.store(time + std::chrono::steady_clock::duration(kLookEvery).count(), std::memory_order_relaxed);
  drain();
  return cancelled_.load();
}

int AttemptLink::cancel_descriptor() {
  int fd = cancel_fd_.load();
  if (fd >= 0) return fd;
  fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return -1;
  int none = -1;
  if (!cancel_fd_.compare_exchange_strong(none, fd)) {
    close(fd);
    return none;
  }
  if (!start_reader()) {
    cancel_fd_.store(-1);
    close(fd);
    return -1;
  }
  if (cancelled_.load() != 0) (void)eventfd_write(fd, 1);
  return fd;
}

void AttemptLink::beat_every(milliseconds interval) {
  beat_ms_.store(interval.count());
  (void)start_reader();
}

void AttemptLink::warm() {
  const std::lock_guard lock(reading_);
  cancelled_.store(0);
}

bool AttemptLink::start_reader() {
  if (reader_.exchange(true)) return true;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);  // the task's signal handlers are none of this thread's business
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kReaderStack);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, reader_main, this);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  if (error == 0) return true;
  reader_.store(false);
  errno = error;
  return false;
}

void* AttemptLink::reader_main(void* self) {
  static_cast<AttemptLink*>(self)->read_and_beat();
  return nullptr;
}

void AttemptLink::read_and_beat() {
  auto last = now();
  while (!host_gone()) {
    const milliseconds interval{beat_ms_.load()};
    const auto wait = interval.count() > 0 ? interval - std::chrono::duration_cast<milliseconds>(now() - last) : kIdle;
    pollfd readable{socket_, POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
    if (ready > 0) {
      const std::unique_lock lock(reading_);
      drain();
    }
    if (interval.count() > 0 && now() - last >= interval) {
      protocol::Outgoing beat;
      beat.kind = Kind::kHeartbeat;
      (void)send(beat);
      last = now();
    }
  }
}

}  // namespace perdure::zygote
