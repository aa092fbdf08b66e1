#include "host/process/surviving_zygotes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "host/os/process.h"
#include "host/os/process_tree.h"
#include "host/process/json_slices.h"
#include "host/protocol/frame.h"

namespace perdure::process {
namespace {

using Clock = std::chrono::steady_clock;
using protocol::Kind;
using protocol::ReceiveResult;

constexpr std::chrono::seconds kPatience{10};

// A link to whoever listens there; empty with errno set when nobody does.
os::UniqueFd connect_to(int directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, name.c_str());
  os::UniqueFd link(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!link || connect(link.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return link;
}

class Meeting {
 public:
  explicit Meeting(os::UniqueFd link) { zygote_.control = std::move(link); }

  /// Why it came to nothing; empty: zygote() is taken over.
  std::string hold() {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(zygote_.control.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return strerror(errno);
    if (peer.uid != geteuid()) return "it belongs to another user";
    zygote_.pid = peer.pid;
    zygote_.process = os::open_pidfd(peer.pid);
    if (!zygote_.process) return "it has ended";
    if (!receive(Kind::kOrphans)) return "it did not say what it has";
    if (frame_.arg < protocol::kOldestProtocol || frame_.arg > protocol::kProtocolVersion) {
      return "it speaks protocol " + std::to_string(frame_.arg) + ", and this host " +
             std::to_string(protocol::kOldestProtocol) + " to " + std::to_string(protocol::kProtocolVersion);
    }
    for_each_member(frame_.json, [this](std::string_view key, std::string_view value) {
      if (key == "temporary") zygote_.temporary = string_of(value).value_or("");
    });
    auto roster = frame_.fds.size() == 1 ? protocol::Roster::open(frame_.release_fd(0)) : std::nullopt;
    if (!roster) return "it lost what was noted of its attempts";
    const std::vector<protocol::Roster::Found> attempts = roster->entries();
    zygote_.roster = *std::move(roster);
    for (std::uint64_t left = frame_.id; left > 0; left--) {
      if (!receive(Kind::kOrphan)) return "it did not say all that it has";
      add_child(attempts);
    }
    return {};
  }

  SurvivingZygote& zygote() { return zygote_; }
  /// It was about to leave, since it has no attempts or was alone for too long.
  [[nodiscard]] bool gone() const { return gone_; }

  /// Ends it with all that it has, which does not ask it first: it may be stopped, or not understand.
  void end() const {
    if (!zygote_.process) return;
    protocol::Outgoing quit;
    quit.kind = Kind::kQuit;
    (void)protocol::send(zygote_.control.get(), quit, false);
    pollfd ended{zygote_.process.get(), POLLIN, 0};
    if (poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) > 0) return;
    os::kill_tree(zygote_.process, zygote_.pid);
    (void)poll(&ended, 1, -1);
  }

 private:
  bool receive(Kind kind) {
    for (;;) {
      switch (receiver_.receive(zygote_.control.get(), frame_, false)) {
        case ReceiveResult::kFrame:
          return frame_.kind == kind;
        case ReceiveResult::kWouldBlock:
          break;
        case ReceiveResult::kPeerGone:
          gone_ = true;
          return false;
        default:
          return false;
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      pollfd readable{zygote_.control.get(), POLLIN, 0};
      if (left <= 0 || poll(&readable, 1, static_cast<int>(left)) == 0) return false;
    }
  }

  void add_child(const std::vector<protocol::Roster::Found>& attempts) {
    SurvivingZygote::Child child;
    child.id = frame_.id;
    child.pid = static_cast<pid_t>(frame_.arg);
    if (frame_.fds.size() == 3) {
      child.link.reset(frame_.release_fd(0));
      child.out.reset(frame_.release_fd(1));
      child.err.reset(frame_.release_fd(2));
    }
    const auto child_of = [](const protocol::Roster::Found& each) { return each.entry.child; };
    const auto found = std::ranges::lower_bound(attempts, child.id, {}, child_of);
    if (found != attempts.end() && found->entry.child == child.id) {
      child.attempt = found->entry;
      child.place = found->place;
    }
    zygote_.children.push_back(std::move(child));
  }

  const Clock::time_point deadline_ = Clock::now() + kPatience;
  SurvivingZygote zygote_;
  bool gone_ = false;
  protocol::Receiver receiver_;
  protocol::Incoming frame_;
};

}  // namespace

std::vector<SurvivingZygote> find_surviving_zygotes(const std::string& directory,
                                                    const std::function<void(const std::string&)>& warn) {
  std::vector<SurvivingZygote> found;
  const os::UniqueFd place(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::error_code failed;
  if (!place) return found;
  const rlimit before = os::raise_descriptor_limit();  // each child comes with three
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename().string();
    os::UniqueFd link = connect_to(place.get(), name);
    if (!link) {
      if (errno == ECONNREFUSED) (void)unlinkat(place.get(), name.c_str(), 0);
      continue;
    }
    Meeting meeting(std::move(link));
    if (const std::string why = meeting.hold(); !why.empty()) {
      if (!meeting.gone()) {
        warn("process " + name + ", which executes attempts of an earlier host, could not be taken over: " + why +
             ". It is ended, and its attempts with it");
      }
      meeting.end();
      (void)unlinkat(place.get(), name.c_str(), 0);
      continue;
    }
    found.push_back(std::move(meeting.zygote()));
  }
  os::set_descriptor_limit(getpid(), before);
  return found;
}

}  // namespace perdure::process
