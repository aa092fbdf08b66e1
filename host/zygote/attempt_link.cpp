#include "host/zygote/attempt_link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
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
constexpr std::uint64_t kNoRequest = 0;
constexpr std::uint32_t kCanceled = 1;  // arg of kCancel

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

// Which request the frame answers, or kNoRequest: it is for the main thread.
std::uint64_t recipient(const Incoming& frame) { return frame.kind == Kind::kReply ? frame.id : kNoRequest; }

}  // namespace

bool AttemptLink::send(const protocol::Outgoing& frame) {
  const protocol::SendResult result = protocol::send(socket_, frame, true);
  if (result == protocol::SendResult::kPeerGone) gone_.store(true, std::memory_order_relaxed);
  return result == protocol::SendResult::kSent;
}

bool AttemptLink::receive(Incoming& frame) {
  std::unique_lock lock(mutex_);
  return await(lock, frame, kNoRequest);
}

// False when the host is gone. Sent with the lock held, so that requests reach the host in the order of their numbers.
bool AttemptLink::put(Question& question, protocol::RequestKind kind, std::string_view json, std::string_view raw) {
  protocol::Outgoing& request = question.request_;
  request.kind = Kind::kRequest;
  request.arg = static_cast<std::uint32_t>(kind);
  request.json = json;
  request.raw = raw;
  const std::lock_guard lock(mutex_);
  request.id = next_request_++;
  Question** last = &questions_;
  while (*last != nullptr) last = &(*last)->next_;
  *last = &question;
  question.link_ = this;
  return send(request);
}

// The caller holds the mutex.
void AttemptLink::forget(Question& question) {
  Question** each = &questions_;
  while (*each != nullptr && *each != &question) each = &(*each)->next_;
  if (*each != nullptr) *each = question.next_;
  question.link_ = nullptr;
}

AttemptLink::Question::~Question() {
  if (link_ == nullptr) return;
  const std::lock_guard lock(link_->mutex_);
  link_->forget(*this);
}

bool AttemptLink::is_awaited(std::uint64_t request) const {
  const Question* each = questions_;
  while (each != nullptr && each->request_.id != request) each = each->next_;
  return each != nullptr;
}

bool AttemptLink::ask(protocol::RequestKind kind, std::string_view json, std::string_view raw, Incoming& reply) {
  Question question;
  if (!put(question, kind, json, raw)) return false;
  std::unique_lock lock(mutex_);
  const bool answered = await(lock, reply, question.request_.id);
  forget(question);  // in the same moment, so that it is not asked again
  return answered;
}

AttemptLink::Waited AttemptLink::ask_long(Question& question, protocol::RequestKind kind, std::string_view json,
                                          Incoming& reply) {
  return put(question, kind, json, {}) ? wait_on(question, reply) : Waited::kGone;
}

AttemptLink::Waited AttemptLink::wait_on(const Question& question, Incoming& reply) {
  std::unique_lock lock(mutex_);
  if (await(lock, reply, question.request_.id, true)) return Waited::kAnswered;
  return cancelled_.load() != 0 ? Waited::kCancelled : Waited::kGone;
}

bool AttemptLink::send_outcome(const protocol::Outgoing& outcome) {
  const std::lock_guard lock(mutex_);
  unconfirmed_ = outcome;
  return send(outcome);
}

void AttemptLink::remember_judgement(std::string json, std::string raw) {
  const std::lock_guard lock(mutex_);
  judged_ = std::make_unique<std::pair<std::string, std::string>>(std::move(json), std::move(raw));
}

void AttemptLink::remember_promise(protocol::RequestKind kind, std::string json, std::string raw) {
  const std::lock_guard lock(mutex_);
  if (!promised_) promised_ = std::make_unique<std::vector<Promise>>();
  promised_->push_back({kind, std::move(json), std::move(raw)});
}

// Whether the answer has come, and waits for who asked.
bool AttemptLink::is_answered(std::uint64_t request) const {
  return kept_ != nullptr && std::ranges::any_of(*kept_, [request](const Incoming& each) {
           return recipient(each) == request && each.arg != static_cast<std::uint32_t>(protocol::ReplyStatus::kBegun);
         });
}

// The caller holds the mutex.
void AttemptLink::send_again(std::uint64_t host) {
  protocol::Outgoing begins;
  begins.kind = Kind::kResend;
  begins.id = host;
  (void)send(begins);
  for (std::size_t i = 0; promised_ && i < promised_->size(); ++i) {
    const Promise& each = (*promised_)[i];
    protocol::Outgoing promise;
    promise.kind = Kind::kRequest;
    promise.arg = static_cast<std::uint32_t>(each.kind);
    promise.id = next_request_++;
    promise.json = each.json;
    promise.raw = each.raw;
    (void)send(promise);
  }
  if (judged_) {
    protocol::Outgoing judgement;
    judgement.kind = Kind::kRequest;
    judgement.arg = static_cast<std::uint32_t>(protocol::RequestKind::kJudge);
    judgement.id = next_request_++;
    judgement.json = judged_->first;
    judgement.raw = judged_->second;
    (void)send(judgement);
  }
  for (const Question* each = questions_; each != nullptr; each = each->next_) {
    if (!is_answered(each->request_.id)) (void)send(each->request_);
  }
  if (unconfirmed_) (void)send(*unconfirmed_);
}

// The frame for whoever asked `request`, or for the main thread.
bool AttemptLink::await(std::unique_lock<std::mutex>& lock, Incoming& frame, std::uint64_t request,
                        bool until_cancelled) {
  for (;;) {
    if (take_kept(frame, request)) return true;
    if (until_cancelled && cancelled_.load() != 0) return false;
    if (host_gone() || (request != kNoRequest && request < first_request_)) return false;
    if (reading_ || reader_.load()) {
      arrived_.wait(lock);
      continue;
    }
    reading_ = true;
    lock.unlock();
    const ReceiveResult received = receiver_.receive(socket_, frame, true);
    lock.lock();
    reading_ = false;
    if (received != ReceiveResult::kFrame) gone_.store(true);
    arrived_.notify_all();  // another one reads on
    if (received != ReceiveResult::kFrame || take_note(frame)) continue;
    if (recipient(frame) == request) return true;
    keep(std::move(frame));
  }
}

bool AttemptLink::take_kept(Incoming& frame, std::uint64_t request) {
  if (kept_ == nullptr) return false;
  const auto found = std::ranges::find(*kept_, request, recipient);
  if (found == kept_->end()) return false;
  frame = std::move(*found);
  kept_->erase(found);
  return true;
}

// Reads what is there; the caller holds the mutex, and nobody else reads.
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

// True when nobody waits for the frame.
bool AttemptLink::take_note(const Incoming& frame) {
  const int fd = cancel_fd_.load();
  switch (frame.kind) {
    case Kind::kCancel:
      cancelled_.store(frame.arg != 0 ? frame.arg : 1);
      if (fd >= 0) (void)eventfd_write(fd, 1);
      reason_ = frame.json;
      if (frame.arg == kCanceled) start_handler();
      arrived_.notify_all();  // one may wait for this too
      return true;
    case Kind::kAdopted:
      send_again(frame.id);
      return true;
    case Kind::kConfirm:
      unconfirmed_.reset();
      judged_.reset();
      promised_.reset();
      return false;
    case Kind::kResume:
      crash_resumed.store(true);
      return true;
    case Kind::kStart: {  // a cancel that came before it was for an attempt that is over
      cancelled_.store(0);
      eventfd_t value = 0;
      if (fd >= 0) (void)eventfd_read(fd, &value);
      first_request_ = next_request_;
      reason_.clear();
      return false;
    }
    default:
      return false;
  }
}

void AttemptLink::keep(Incoming&& frame) {
  // Who asked has been told that none comes, or had the answer of an earlier host.
  if (frame.kind == Kind::kReply && !is_awaited(frame.id)) return;
  if (kept_ == nullptr) kept_ = new std::deque<Incoming>;
  kept_->push_back(std::move(frame));
  arrived_.notify_all();
}

std::uint32_t AttemptLink::cancelled() {
  const std::uint32_t known = cancelled_.load(std::memory_order_relaxed);
  if (known != 0 || reader_.load(std::memory_order_relaxed)) return known;
  const std::int64_t time = now().time_since_epoch().count();
  if (time < look_again_.load(std::memory_order_relaxed)) return 0;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || reading_ || host_gone()) return cancelled_.load();
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

bool AttemptLink::when_cancelled(void (*handler)(void*), void* argument) {
  if (!start_reader()) return false;
  const std::lock_guard lock(mutex_);
  handler_ = handler;
  handler_argument_ = argument;
  if (cancelled_.load() == kCanceled) start_handler();
  return true;
}

void AttemptLink::await_handler() {
  std::unique_lock lock(mutex_);
  const std::optional<pthread_t> handling = std::exchange(handling_, std::nullopt);
  lock.unlock();
  if (handling) pthread_join(*handling, nullptr);
}

void AttemptLink::end_when_cancelled() {
  std::unique_lock lock(mutex_);
  handler_ = nullptr;
  lock.unlock();
  await_handler();
}

std::string AttemptLink::cancel_reason() {
  const std::lock_guard lock(mutex_);
  return reason_;
}

// The caller holds the mutex.
void AttemptLink::start_handler() {
  if (handler_ == nullptr) return;
  struct Start {
    void (*handler)(void*);
    void* argument;
  };
  auto start = std::make_unique<Start>(Start{std::exchange(handler_, nullptr), handler_argument_});
  const auto main = [](void* raw) -> void* {
    const std::unique_ptr<Start> own(static_cast<Start*>(raw));
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);  // the reading thread, which started this one, blocks all
    own->handler(own->argument);
    return nullptr;
  };
  pthread_t thread{};
  if (pthread_create(&thread, nullptr, main, start.get()) != 0) return;
  (void)start.release();
  handling_ = thread;
}

void AttemptLink::beat_every(milliseconds interval) {
  beat_ms_.store(interval.count());
  (void)start_reader();
}

void AttemptLink::warm() {
  const std::lock_guard lock(mutex_);
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
      std::unique_lock lock(mutex_);
      if (reading_) {  // since before this thread started; it takes the frame
        arrived_.wait_for(lock, interval.count() > 0 ? interval / 2 : kIdle, [this] { return !reading_; });
      } else {
        drain();
      }
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
