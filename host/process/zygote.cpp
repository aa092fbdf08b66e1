#include "host/process/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "host/os/channels.h"
#include "host/os/process.h"
#include "host/os/signal_name.h"
#include "host/process/environment.h"
#include "host/process/manifest.h"
#include "host/process/utf8_text.h"

namespace perdure::process {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::ReceiveResult;
using protocol::SendResult;

constexpr std::uint64_t kSpareBit = std::uint64_t{1} << 63;
constexpr int kFramesPerTurn = 64;
constexpr int kAllFrames = 4096;
constexpr std::size_t kOutputTail = 1024;

std::string seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

Zygote::~Zygote() {
  for (os::UniqueFd* each : {&control_, &output_}) close(*each);
  if (pidfd_) shared_.events.remove(pidfd_.get());
  if (pid_ <= 0 || state_ == State::kDead) return;
  kill_process();
  os::reap(pid_);
}

void Zygote::kill_process() {
  if (adopted_) return os::send_signal(pidfd_, SIGKILL);  // its number may have become another process's
  (void)kill(pid_, SIGKILL);
}

bool Zygote::reap() {
  const bool ended = os::try_reap(pid_).has_value() || (adopted_ && os::has_died(pidfd_));
  if (ended) state_ = State::kDead;
  return ended;
}

store::Status Zygote::start(const std::string& plugin, const std::string& library_path,
                            const std::vector<Beside>& beside, bool rehearse) {
  beside_ = beside;
  const auto failed = [](const std::string& what) {
    return store::Status::unavailable("the zygote could not be started: " + what + ": " + strerror(errno));
  };
  os::SocketPair link;
  os::Pipe output;
  if (!os::open_socket_pair(link) || !os::open_pipe(output) || !os::set_nonblocking(output.read.get())) {
    return failed("no descriptors");
  }
  os::Command command;
  command.path = shared_.options.zygote_executable;
  command.arguments = {"--control", "3"};
  const auto self_test = shared_.options.self_test_timeout.count();
  if (rehearse && self_test > 0) {
    for (const std::string& each : {std::string("--self-test"), std::to_string(self_test)}) {
      command.arguments.push_back(each);
    }
  }
  if (const auto& user = shared_.options.user) {
    command.arguments.insert(command.arguments.end(),
                             {"--user", std::to_string(user->uid) + ':' + std::to_string(user->gid)});
  }
  temporary_ = shared_.temporary.next_zygote();
  if (!temporary_.empty()) command.arguments.insert(command.arguments.end(), {"--temporary", temporary_});
  if (shared_.options.core_dumps) command.arguments.emplace_back("--core-dumps");
  for (const Beside& other : beside_) command.arguments.insert(command.arguments.end(), {"--with", other.path});
  command.arguments.push_back(plugin);
  command.environment = environment_of_zygotes(shared_.options);
  if (!library_path.empty()) command.environment.push_back("LD_LIBRARY_PATH=" + library_path);
  command.descriptors = {{output.write.get(), 1}, {output.write.get(), 2}, {link.theirs.get(), 3}};
  pid_ = os::spawn(command);
  if (pid_ < 0) {
    pid_ = 0;
    return failed(command.path);
  }
  os::set_descriptor_limit(pid_, shared_.descriptor_limit);
  pidfd_ = os::open_pidfd(pid_);
  control_ = std::move(link.ours);
  output_ = std::move(output.read);
  if (!pidfd_ || !shared_.events.add(pidfd_.get(), *this, kProcess) ||
      !shared_.events.add(control_.get(), *this, kControl) || !shared_.events.add(output_.get(), *this, kOutput)) {
    return failed("it cannot be watched");
  }
  shared_.deadlines.set(*this, std::chrono::steady_clock::now() + shared_.options.load_timeout);
  return store::Status::ok();
}

void Zygote::on_deadline(Instant) {
  if (state_ == State::kLoading && refusal_.empty()) {
    refusal_ = testing_ ? "its self test did not finish within " + seconds(shared_.options.self_test_timeout)
                        : "the plugin did not finish registering within " + seconds(shared_.options.load_timeout);
  }
  if (state_ != State::kDead) kill_process();
}

std::size_t Zygote::spares_expected() const {
  if (!accepts()) return 0;
  return spares_wanted_ > spare_children_ ? spares_wanted_ - spare_children_ : 0;
}

Child* Zygote::take_spare() {
  if (spares_.empty() || !accepts()) return nullptr;
  Child* child = spares_.back();
  spares_.pop_back();
  return child;
}

Child* Zygote::take_recycled(const AttemptSpec& spec) {
  if (!accepts()) return nullptr;
  for (auto it = recycled_.rbegin(); it != recycled_.rend(); ++it) {
    if (!(*it)->may_serve(spec)) continue;
    Child* child = *it;
    recycled_.erase(std::next(it).base());
    return child;
  }
  return nullptr;
}

Child::Given Zygote::fork_for(Attempt& attempt) {
  if (!accepts()) return Child::Given::kGone;
  os::SocketPair link;
  os::Pipe out, err;
  if (!os::open_socket_pair(link) || !os::open_pipe(out) || !os::open_pipe(err)) return Child::Given::kImpossible;
  const std::uint64_t id = next_id_++;
  std::vector<int> ours;  // for itself, so that they stay open when this host is gone
  if (roster_) ours = {link.ours.get(), out.read.get(), err.read.get()};
  std::vector<os::UniqueFd> theirs;
  theirs.push_back(std::move(link.theirs));
  theirs.push_back(std::move(out.write));
  theirs.push_back(std::move(err.write));
  if (!send(Kind::kFork, 0, id, std::move(theirs), ours)) return Child::Given::kGone;
  auto child = std::make_unique<Child>(shared_, *this, id, 0,
                                       Child::Ends{std::move(link.ours), std::move(out.read), std::move(err.read)});
  forking_++;
  Child& forked = *child;
  children_.emplace(id, std::move(child));
  const Child::Given given = forked.give(attempt);
  if (given != Child::Given::kYes) forked.dismiss();  // its link's end makes it leave
  return given;
}

void Zygote::want_spares(std::uint32_t count) {
  if (count == spares_wanted_ || !accepts()) return;
  spares_wanted_ = count;
  (void)send(Kind::kSpares, count, 0);
}

void Zygote::signal(const Child& child, int signal) {
  (void)send(Kind::kSignal, static_cast<std::uint32_t>(signal), child.id());
}

void Zygote::taken(Child& child) {
  if (!std::exchange(child.spare, false)) return;
  spare_children_--;
  (void)send(Kind::kTaken, 0, child.id());
}

void Zygote::recycled(Child& child) {
  taken(child);
  recycled_.push_back(&child);
  owner_.serve();
  leave_if_idle();
}

void Zygote::no_longer_idle(Child& child) {
  std::erase(recycled_, &child);
  std::erase(spares_, &child);
}

void Zygote::unresponsive(const std::string& why) {
  if (state_ == State::kDead) return;
  if (refusal_.empty()) refusal_ = why;
  kill_process();
}

void Zygote::leave() {
  leaving_ = true;
  leave_if_idle();
}

void Zygote::quit() {
  (void)send(Kind::kQuit, 0, 0);
  close(control_);  // one that is still loading hears nothing but this
  if (state_ == State::kLoading) (void)kill(pid_, SIGKILL);
}

void Zygote::leave_if_idle() {
  if (!leaving_ || quit_sent_ || busy() > 0 || state_ == State::kDead) return;
  quit_sent_ = true;
  (void)send(Kind::kQuit, 0, 0);
  shared_.deadlines.set(*this, std::chrono::steady_clock::now() + shared_.options.leave_grace);
}

bool Zygote::send(Kind kind, std::uint32_t arg, std::uint64_t id, std::vector<os::UniqueFd> fds,
                  const std::vector<int>& lent) {
  if (!control_) return false;
  if (queued_.empty()) {
    std::array<int, protocol::kMaxDescriptors> raw_fds{};
    std::size_t count = 0;
    for (const os::UniqueFd& each : fds) raw_fds[count++] = each.get();
    for (const int each : lent) raw_fds[count++] = each;
    protocol::Outgoing frame;
    frame.kind = kind;
    frame.arg = arg;
    frame.id = id;
    frame.fds = raw_fds.data();
    frame.fd_count = static_cast<int>(count);
    const SendResult result = protocol::send(control_.get(), frame, false);
    if (result == SendResult::kSent) return true;
    if (result == SendResult::kPeerGone) return false;
    // Full, or the system is short of something: later.
    shared_.events.change(control_.get(), *this, kControl, EPOLLIN | EPOLLOUT);
  }
  for (const int each : lent) {
    fds.emplace_back(fcntl(each, F_DUPFD_CLOEXEC, 0));
    if (!fds.back()) return false;
  }
  queued_.push_back({kind, arg, id, std::move(fds)});
  return true;
}

void Zygote::send_queued() {
  std::deque<Queued> waiting = std::move(queued_);
  queued_.clear();
  shared_.events.change(control_.get(), *this, kControl, EPOLLIN);
  for (Queued& each : waiting) (void)send(each.kind, each.arg, each.id, std::move(each.fds));
}

void Zygote::close(os::UniqueFd& fd) {
  if (fd) shared_.events.remove(fd.get());
  fd.reset();
}

void Zygote::read_output() {
  std::array<char, 4096> chunk{};
  const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close(output_);
  last_output_.append(chunk.data(), static_cast<std::size_t>(got));
  if (last_output_.size() > kOutputTail) last_output_.erase(0, last_output_.size() - kOutputTail);
}

void Zygote::on_event(std::uint32_t which, std::uint32_t events) {
  if (state_ == State::kDead) return;
  if (which == kOutput) {
    if (output_) read_output();
    return;
  }
  if (which == kProcess) return on_death();
  if ((events & EPOLLOUT) != 0) send_queued();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read_control(kFramesPerTurn);
}

void Zygote::read_control(int frames) {
  for (; frames > 0 && control_; frames--) {
    switch (shared_.receiver.receive(control_.get(), shared_.frame, false)) {
      case ReceiveResult::kFrame:
        heard_at_ = std::chrono::steady_clock::now();
        on_frame(shared_.frame);
        break;
      case ReceiveResult::kWouldBlock:
        return;
      case ReceiveResult::kPeerGone:
        close(control_);  // it dies, or closed what it must not; either way it is of no use
        if (state_ != State::kDead && !quit_sent_) {
          shared_.deadlines.set(*this, std::chrono::steady_clock::now() + shared_.options.leave_grace);
        }
        return;
      case ReceiveResult::kInvalid:
        return distrust(shared_.receiver.error());
      case ReceiveResult::kFailed:
        return;
    }
  }
}

Child* Zygote::child(std::uint64_t id) {
  const auto found = children_.find(id);
  return found == children_.end() ? nullptr : found->second.get();
}

void Zygote::distrust(const std::string& why) {
  close(control_);
  unresponsive("the plugin's zygote spoke nonsense (" + why +
               "); the plugin must not touch descriptors it did not open");
}

void Zygote::on_frame(Incoming& frame) {
  switch (frame.kind) {
    case Kind::kLoaded: {
      if (state_ != State::kLoading) return distrust("it loaded twice");
      auto manifest = parse_manifest(frame.json);
      if (!manifest) {
        refusal_ = manifest.status().message();
        (void)kill(pid_, SIGKILL);
        return;
      }
      state_ = State::kServing;
      shared_.deadlines.clear(*this);
      keep_for_the_next_host();
      close(output_);
      owner_.loaded(*this, std::move(manifest).value());
      return;
    }
    case Kind::kRefused:
      if (state_ != State::kLoading) return distrust("it refused what it had loaded");
      refusal_ = parse_reason(frame.json, "reason");
      return;
    case Kind::kBeside:
      return on_beside(frame.arg);
    case Kind::kTesting:
      return on_testing();
    case Kind::kStarted: {
      const auto found = children_.find(frame.id);
      if (found == children_.end() || found->second->pid() != 0) return;
      forking_--;
      found->second->born(static_cast<pid_t>(frame.arg));
      owner_.serve();
      return;
    }
    case Kind::kSpare:
      return on_spare(frame);
    case Kind::kExited:
      return on_exited(frame);
    case Kind::kForkFailed:
      return on_fork_failed(frame);
    case Kind::kCrash:
      return on_crash(frame);
    default:
      return distrust("a message of the unknown kind " + std::to_string(static_cast<unsigned>(frame.kind)));
  }
}

void Zygote::on_spare(Incoming& frame) {
  if (frame.fds.size() != 3 || (frame.id & kSpareBit) == 0 || children_.contains(frame.id)) {
    return distrust("a spare without what belongs to it");
  }
  Child::Ends ends{os::UniqueFd(frame.release_fd(0)), os::UniqueFd(frame.release_fd(1)),
                   os::UniqueFd(frame.release_fd(2))};
  auto child = std::make_unique<Child>(shared_, *this, frame.id, static_cast<pid_t>(frame.arg), std::move(ends));
  child->spare = true;
  spare_children_++;
  spares_.push_back(child.get());
  children_.emplace(frame.id, std::move(child));
  owner_.serve();
}

void Zygote::on_exited(const Incoming& frame) {
  const auto found = children_.find(frame.id);
  protocol::ExitReport report{};
  if (found == children_.end() || frame.raw.size() != sizeof report) return;
  std::memcpy(&report, frame.raw.data(), sizeof report);
  if ((report.flags & protocol::ExitReport::kLeftFiles) != 0) shared_.temporary.left();
  Child& child = *found->second;
  no_longer_idle(child);
  if (child.pid() == 0) forking_--;
  if (child.spare) spare_children_--;
  child.spare = false;
  const protocol::UsageReport& usage = report.usage;
  child.died({report.wait_status, usage.cpu_microseconds, usage.peak_memory, usage.voluntary_switches,
              usage.involuntary_switches});
  forget(child);
  owner_.serve();
  leave_if_idle();
}

// Each plugin has its own time to register.
void Zygote::on_beside(std::uint32_t number) {
  if (state_ != State::kLoading || number != loading_beside_ + 1 || number > beside_.size()) {
    return distrust("it loads what nobody asked for");
  }
  loading_beside_ = number;
  shared_.deadlines.set(*this, std::chrono::steady_clock::now() + shared_.options.load_timeout);
}

// The zygote looks after the time of the test itself, and needs some more to end what hangs.
void Zygote::on_testing() {
  if (state_ != State::kLoading || std::exchange(testing_, true)) return distrust("a self test that nobody asked for");
  shared_.deadlines.set(
      *this, std::chrono::steady_clock::now() + shared_.options.self_test_timeout + shared_.options.leave_grace);
}

// The plugin crashed while it was loaded or in its self test, which has been told as the refusal; the process waits in
// its signal handler.
void Zygote::on_crash(const Incoming& frame) {
  protocol::CrashReport report{};
  if (state_ != State::kLoading || refusal_.empty() || crashed_ || frame.raw.size() != sizeof report) {
    return distrust("a crash report that nothing led to");
  }
  crashed_ = true;
  std::memcpy(&report, frame.raw.data(), sizeof report);
  shared_.deadlines.set(
      *this, std::chrono::steady_clock::now() + shared_.options.backtrace_timeout + shared_.options.leave_grace);
  shared_.backtraces.request(report.pid, report.tid, {}, [this, alive = std::weak_ptr(alive_)](const auto& taken) {
    if (alive.expired()) return;
    if (!taken.text.empty()) refusal_ += '\n' + taken.text;
    (void)send(Kind::kResume, 0, 0);
  });
}

void Zygote::on_fork_failed(const Incoming& frame) {
  const auto found = children_.find(frame.id);
  if (found == children_.end()) return;
  Child& child = *found->second;
  const std::string why = parse_reason(frame.json, "error");
  forking_--;
  Attempt* attempt = child.disown();
  forget(child);
  if (attempt != nullptr) owner_.not_started(*attempt, why);
  leave_if_idle();
}

void Zygote::forget(Child& child) {
  auto node = children_.extract(child.id());
  shared_.deadlines.clear(child);
  shared_.events.retire(std::move(node.mapped()));
}

std::string Zygote::death_in_words(int status) const {
  if (!refusal_.empty()) return refusal_;
  std::string words = "the plugin's process ";
  if (WIFSIGNALED(status)) {
    words += "was ended by " + os::signal_name(WTERMSIG(status));
  } else {
    words += "exited with code " + std::to_string(WEXITSTATUS(status));
  }
  return words + (state_ == State::kLoading ? " while loading" : "");
}

void Zygote::on_death() {
  read_control(kAllFrames);  // what it said before it died
  if (output_) read_output();
  std::optional<os::Ended> ended = os::try_reap(pid_);
  if (adopted_ && os::has_died(pidfd_)) {
    if (refusal_.empty()) refusal_ = "nobody was there to see how it ended";
    ended = os::Ended{};
  }
  if (!ended || state_ == State::kDead) return;
  std::string why = death_in_words(ended->status);
  if (state_ == State::kLoading && !last_output_.empty()) {
    std::string tail = to_utf8(last_output_);
    tail.erase(tail.find_last_not_of(" \n\r\t") + 1);
    if (!tail.empty()) why += "; its last words: " + tail.substr(tail.rfind('\n') + 1);
  }
  const bool was_loading = state_ == State::kLoading;
  state_ = State::kDead;
  shared_.deadlines.clear(*this);
  close(control_);
  close(pidfd_);
  close(output_);
  queued_.clear();
  spares_.clear();
  recycled_.clear();
  forking_ = spare_children_ = 0;
  std::vector<pid_t> strangers;
  for (const auto& [id, child] : children_) {
    if (adopted_) strangers.push_back(child->pid());
  }
  owner_.kill_orphans(strangers, [this, was_loading, why] { bury(was_loading, why); });
}

// Once nothing of its attempts executes any more, they may be tried again elsewhere.
void Zygote::bury(bool was_loading, const std::string& why) {
  shared_.temporary.zygote_died(temporary_);
  // Those that were not born may never have been; others serve their attempts.
  auto children = std::move(children_);
  children_.clear();
  for (auto& [id, child] : children) {
    const bool unborn = child->pid() == 0;
    Attempt* waiting = unborn ? child->disown() : nullptr;
    if (waiting != nullptr) owner_.not_started(*waiting, why);
    if (!unborn) child->lost("The zygote of the attempt's plugin died, and the attempt with it: " + why);
    shared_.deadlines.clear(*child);
    shared_.events.retire(std::move(child));
  }
  owner_.died(*this, was_loading, why);
}

}  // namespace perdure::process
