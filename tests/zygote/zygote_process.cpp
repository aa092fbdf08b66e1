#include "tests/zygote/zygote_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "host/zygote/json_text.h"

namespace perdure::zygote::test {

using protocol::Incoming;
using protocol::Kind;
using protocol::Outgoing;
using protocol::ReceiveResult;

namespace {

using Clock = std::chrono::steady_clock;

// One frame before `deadline`.
std::optional<Incoming> receive_by(int socket, Clock::time_point deadline) {
  protocol::Receiver receiver;
  for (;;) {
    Incoming frame;
    const ReceiveResult result = receiver.receive(socket, frame, false);
    if (result == ReceiveResult::kFrame) return frame;
    if (result != ReceiveResult::kWouldBlock) return std::nullopt;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd readable{socket, POLLIN, 0};
    (void)poll(&readable, 1, static_cast<int>(left.count()));
  }
}

bool send_simple(int socket, Kind kind, std::uint64_t id, std::uint32_t arg, std::string_view json = {},
                 std::string_view raw = {}) {
  Outgoing frame;
  frame.kind = kind;
  frame.id = id;
  frame.arg = arg;
  frame.json = json;
  frame.raw = raw;
  return protocol::send(socket, frame, true) == protocol::SendResult::kSent;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  const int fd = other.release();
  reset();
  fd_ = fd;
  return *this;
}
int Fd::release() { return std::exchange(fd_, -1); }
void Fd::reset() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

bool Attempt::start(std::uint32_t task, std::string_view payload, std::string_view info) const {
  static constexpr std::string_view kInfo =
      R"({"run":"run_test","attempt":1,"heartbeat_ms":30000,"output_limit":10000000,"log_limit":1000000,)"
      R"("recycle":false,"context":{"run":"run_test"},"config":{}})";
  return send_simple(link.get(), Kind::kStart, 1, task, info.empty() ? kInfo : info, payload);
}
void Attempt::confirm(bool recycle) const { send_simple(link.get(), Kind::kConfirm, 1, recycle ? 1 : 0); }
void Attempt::cancel(std::uint32_t why) const { send_simple(link.get(), Kind::kCancel, 0, why); }
void Attempt::adopt() const { send_simple(link.get(), Kind::kAdopted, 0, 0); }
void Attempt::resume() const { send_simple(link.get(), Kind::kResume, 0, 0); }

std::optional<Incoming> Attempt::next_frame(std::chrono::milliseconds patience) const {
  return receive_by(link.get(), Clock::now() + patience);
}

std::optional<Incoming> Attempt::next(Kind kind, std::chrono::milliseconds patience) const {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    std::optional<Incoming> frame = receive_by(link.get(), deadline);
    if (!frame || frame->kind == kind) return frame;
  }
}

std::string Attempt::read_output() const {
  std::string text;
  char chunk[4096];
  ssize_t n = 0;
  while ((n = read(out.get(), chunk, sizeof chunk)) > 0) text.append(chunk, static_cast<std::size_t>(n));
  return text;
}

ZygoteProcess::ZygoteProcess(const std::string& plugin, const std::vector<std::string>& variables,
                             std::chrono::milliseconds self_test) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  control_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
  std::vector<std::string> texts(variables);  // the first of a name counts
  for (char** each = environ; *each != nullptr; each++) texts.emplace_back(*each);
  std::vector<char*> environment;
  for (std::string& each : texts) environment.push_back(each.data());
  environment.push_back(nullptr);
  const std::string executable = std::string(PERDURE_TEST_BIN_DIR) + "/perdure-zygote";
  std::vector<std::string> arguments{"perdure-zygote", "--control", "3"};
  if (self_test.count() > 0) arguments.insert(arguments.end(), {"--self-test", std::to_string(self_test.count())});
  arguments.push_back(plugin);
  std::vector<char*> list;
  for (std::string& each : arguments) list.push_back(each.data());
  list.push_back(nullptr);
  if (posix_spawn(&pid_, executable.c_str(), &actions, nullptr, list.data(), environment.data()) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

ZygoteProcess::~ZygoteProcess() {
  control_.reset();
  if (pid_ > 0 && !wait()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

std::optional<int> ZygoteProcess::wait() {
  int status = 0;
  if (pid_ <= 0 || !eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; })) return std::nullopt;
  pid_ = -1;
  return status;
}

std::optional<Incoming> ZygoteProcess::next(Kind kind, std::chrono::milliseconds patience) {
  for (auto it = kept_.begin(); it != kept_.end(); ++it) {
    if (it->kind != kind) continue;
    Incoming frame = std::move(*it);
    kept_.erase(it);
    return frame;
  }
  const auto deadline = Clock::now() + patience;
  for (;;) {
    std::optional<Incoming> frame = receive_by(control_.get(), deadline);
    if (!frame || frame->kind == kind) return frame;
    kept_.push_back(std::move(*frame));
  }
}

std::string ZygoteProcess::manifest() {
  const auto frame = next(Kind::kLoaded);
  return frame ? std::string(frame->json) : std::string();
}

std::string ZygoteProcess::refusal() {
  const auto frame = next(Kind::kRefused);
  return frame ? std::string(frame->json) : std::string();
}

void ZygoteProcess::send(Kind kind, std::uint64_t id, std::uint32_t arg) const {
  send_simple(control_.get(), kind, id, arg);
}

void ZygoteProcess::send_fork(std::uint64_t id, const int* fds, int count) const {
  Outgoing frame;
  frame.kind = Kind::kFork;
  frame.id = id;
  frame.fds = fds;
  frame.fd_count = count;
  protocol::send(control_.get(), frame, true);
}

Attempt ZygoteProcess::fork() {
  Attempt attempt;
  int link[2], out[2], err[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
      pipe2(err, O_CLOEXEC) != 0) {
    return attempt;
  }
  attempt.link = Fd(link[0]);
  attempt.out = Fd(out[0]);
  attempt.err = Fd(err[0]);
  const Fd theirs[] = {Fd(link[1]), Fd(out[1]), Fd(err[1])};
  const int fds[] = {link[1], out[1], err[1]};
  attempt.id = next_id_++;
  send_fork(attempt.id, fds, 3);
  const auto started = next(Kind::kStarted);
  if (started && started->id == attempt.id) attempt.pid = static_cast<pid_t>(started->arg);
  return attempt;
}

Attempt ZygoteProcess::next_spare() {
  Attempt attempt;
  auto frame = next(Kind::kSpare);
  if (!frame || frame->fds.size() != 3) return attempt;
  attempt.id = frame->id;
  attempt.pid = static_cast<pid_t>(frame->arg);
  attempt.link = Fd(frame->release_fd(0));
  attempt.out = Fd(frame->release_fd(1));
  attempt.err = Fd(frame->release_fd(2));
  return attempt;
}

std::optional<Exit> ZygoteProcess::exit_of(std::uint64_t id, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::vector<Incoming> others;
  std::optional<Exit> found;
  while (!found) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    auto frame = next(Kind::kExited, std::max(left, std::chrono::milliseconds(0)));
    if (!frame) break;
    if (frame->id != id) {
      others.push_back(std::move(*frame));
      continue;
    }
    found.emplace();
    found->id = frame->id;
    found->pid = static_cast<pid_t>(frame->arg);
    if (frame->raw.size() == sizeof found->report) std::memcpy(&found->report, frame->raw.data(), sizeof found->report);
  }
  for (Incoming& other : others) kept_.push_back(std::move(other));
  return found;
}

std::string member(std::string_view json, std::string_view key) {
  JsonMembers members(json);
  std::string_view name, value;
  while (members.next(name, value)) {
    if (name != key) continue;
    return std::string(value.size() >= 2 && value.front() == '"' ? json_plain_string(value) : value);
  }
  return {};
}

}  // namespace perdure::zygote::test
