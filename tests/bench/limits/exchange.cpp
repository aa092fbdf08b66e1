#include "tests/bench/limits/exchange.h"

#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/process.h"

namespace perdure::bench {
namespace {

constexpr std::uint32_t kControlId = 0xffffffff;
constexpr std::uint32_t kFirstSpare = 1u << 30;

}  // namespace

std::string payload_200() { return R"({"text":")" + std::string(189, 'x') + R"("})"; }

Exchange::Exchange(const ZygoteFiles& files, const Shape& shape) : shape_(shape) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair for the bare zygote");
  control_ = pair[0];
  zygote_ = spawn(
      {files.executable, "serve", files.plugin, std::to_string(shape.spares), std::to_string(shape.runs_per_child)},
      {.inherited = pair[1]});
  close(pair[1]);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  watch(control_, kControlId);
}

Exchange::~Exchange() {
  for (const auto& [id, attempt] : attempts_) close(attempt.fd);
  for (const Spare& spare : idle_) close(spare.fd);
  close(control_);
  close(epoll_);
  waitpid(zygote_, nullptr, 0);
}

bool Exchange::begin(std::uint32_t run, std::string_view payload) {
  if (shape_.spares > 0) {
    if (idle_.empty()) return false;
    const Spare spare = idle_.back();
    idle_.pop_back();
    attempts_[spare.id] = {spare.fd, run, 0, false, false};
    if (send(spare.fd, payload.data(), payload.size(), MSG_NOSIGNAL) < 0) die("send to a spare child");
    return true;
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair for an attempt");
  const std::uint32_t id = next_++;
  attempts_[id] = {pair[0], run, 0, false, false};
  if (send(pair[0], payload.data(), payload.size(), MSG_NOSIGNAL) < 0) die("send to an attempt");
  if (!send_with(control_, &id, sizeof id, pair[1])) die("send to the bare zygote");
  close(pair[1]);
  watch(pair[0], id);
  return true;
}

void Exchange::step(int timeout_ms, const Done& done) {
  epoll_event events[64];
  const int count = epoll_wait(epoll_, events, 64, timeout_ms);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u32 == kControlId) {
      from_zygote(done);
    } else {
      from_attempt(events[i].data.u32, done);
    }
  }
}

void Exchange::watch(int fd, std::uint32_t id) const {
  epoll_event event{EPOLLIN, {}};
  event.data.u32 = id;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void Exchange::from_zygote(const Done& done) {
  Event event{};
  int fd = -1;
  ssize_t got = 0;
  while ((got = receive_with(control_, &event, sizeof event, &fd)) > 0) {
    const std::uint32_t id = shape_.spares > 0 ? event.id + kFirstSpare : event.id;
    if (event.kind == EventKind::kSpareReady) {
      watch(fd, id);
      idle_.push_back({id, fd});
      continue;
    }
    const auto found = attempts_.find(id);
    if (found == attempts_.end()) continue;
    Attempt& attempt = found->second;
    if (event.status != 0) die("a bare attempt ended badly");
    attempt.exited = true;
    if (!attempt.has_result) {  // it still lies in the socket
      char out[kMessageSize];
      const ssize_t size = recv(attempt.fd, out, sizeof out, MSG_DONTWAIT);
      if (size < 100) die("a bare attempt left no result");
      attempt.has_result = true;
      attempt.bytes = static_cast<std::size_t>(size);
    }
    settle(id, done);
  }
  if (got == 0) die("the bare zygote ended");
}

void Exchange::from_attempt(std::uint32_t id, const Done& done) {
  const auto found = attempts_.find(id);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  char out[kMessageSize];
  const ssize_t size = recv(attempt.fd, out, sizeof out, MSG_DONTWAIT);
  if (size == 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, attempt.fd, nullptr);
  if (size <= 0) return;
  attempt.bytes = static_cast<std::size_t>(size);
  attempt.has_result = true;
  if (shape_.runs_per_child > 1) {
    idle_.push_back({id, attempt.fd});
    const std::uint32_t run = attempt.run;
    attempts_.erase(found);
    done(run, static_cast<std::size_t>(size));
  } else {
    settle(id, done);
  }
}

void Exchange::settle(std::uint32_t id, const Done& done) {
  const auto found = attempts_.find(id);
  const Attempt attempt = found->second;
  if (!attempt.has_result || !attempt.exited) return;
  close(attempt.fd);
  attempts_.erase(found);
  if (shape_.spares > 0) {  // refill after the run, not while it is on its way
    const std::uint32_t ask = 0;
    send(control_, &ask, sizeof ask, MSG_NOSIGNAL);
  }
  done(attempt.run, attempt.bytes);
}

}  // namespace perdure::bench
