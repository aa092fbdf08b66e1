#include "host/cli/dev_session.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <ostream>
#include <utility>

#include "host/cli/dev_build.h"
#include "host/cli/dev_runs.h"
#include "host/cli/dev_sources.h"
#include "host/cli/json_view.h"
#include "host/os/process.h"
#include "host/os/process_tree.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookEvery{300};   // at the host
constexpr milliseconds kPollEvery{1000};  // at the sources, where the system does not tell of changes
constexpr milliseconds kGather{80};       // an editor writes several files
constexpr std::chrono::seconds kDecision{60};

sigset_t stop_signals() {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  return stops;
}

class Session {
 public:
  Session(const DevProject& project, Client& client, DevHost& own, Console& console)
      : project_(project),
        client_(client),
        own_(own),
        console_(console),
        sources_(project.directory),
        runs_(client, console) {}

  int run() {
    hold_stop_signals();
    const sigset_t stops = stop_signals();
    signals_ = os::UniqueFd(signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK));
    look_at_sources_ = steady_clock::now();
    while (!wait()) {
    }
    if (build_ > 0) {
      os::kill_tree(build_);
      os::reap(build_);
    }
    if (own_.started()) end_own();
    return exit_status_;
  }

 private:
  struct Awaited {
    store::VersionId version;
    steady_clock::time_point since;
  };

  // One wait for whatever comes next, and the answer to it. True: it is over.
  bool wait() {
    const auto now = steady_clock::now();
    auto due = std::min(look_at_host_, look_at_sources_);
    if (sources_.fd() < 0) due = std::min(due, now + kPollEvery);
    const auto left = std::max(std::chrono::ceil<milliseconds>(due - now), milliseconds(0));
    std::array<pollfd, 4> ready{{{signals_.get(), POLLIN, 0},
                                 {own_.started() ? own_.pidfd() : -1, POLLIN, 0},
                                 {build_ended_.get(), POLLIN, 0},
                                 {look_at_sources_ == kNever ? sources_.fd() : -1, POLLIN, 0}}};
    (void)::poll(ready.data(), ready.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready[0].revents != 0) return true;
    if (ready[1].revents != 0) {
      own_.reap();
      complain("the host that was started for this has ended; the end of its log:\n" + own_.log_end());
      exit_status_ = kFailed;
      return true;
    }
    if (ready[2].revents != 0) on_built();
    if (ready[3].revents != 0) look_at_sources_ = steady_clock::now() + kGather;
    if (sources_.fd() < 0 && look_at_sources_ == kNever) look_at_sources_ = steady_clock::now() + kPollEvery;
    if (steady_clock::now() >= look_at_sources_) {
      look_at_sources_ = kNever;
      dirty_ = sources_.look() || dirty_;
    }
    if (dirty_ && build_ <= 0) return !start_build();
    if (steady_clock::now() >= look_at_host_) look_at_host();
    return false;
  }

  bool start_build() {
    dirty_ = false;
    const auto command = build_command(project_.directory, project_.build, console_);
    if (!command) {
      complain(command.status().message());
      exit_status_ = kFailed;
      return false;
    }
    say(Style::kDim, "building " + project_.directory.string());
    os::Command build = command.value();
    const os::UniqueFd terminal(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (terminal) build.descriptors = {{terminal.get(), 1}, {terminal.get(), 2}};
    build_ = os::spawn(build);
    if (build_ < 0) {
      complain("the build could not be started");
      exit_status_ = kFailed;
      return false;
    }
    build_ended_ = os::open_pidfd(build_);
    return true;
  }

  void on_built() {
    const auto ended = os::try_reap(build_);
    if (!ended) return;
    build_ = 0;
    build_ended_.reset();
    if (!WIFEXITED(ended->status) || WEXITSTATUS(ended->status) != 0) {
      return say(Style::kRed, served_.empty() ? "the build failed" : "the build failed; what served goes on serving");
    }
    const auto built = built_plugins(project_.directory);
    if (built.empty()) {
      say(Style::kYellow, "the build made no plugin: no file *.so in " + project_.directory.string() +
                              " has the entry point perdure_register_v1");
    }
    for (const fs::path& file : built) put(file);
  }

  void put(const fs::path& built) {
    const auto put = put_plugin(built, project_.plugins);
    if (!put) return complain(put.status().message());
    const std::string name = put->file.filename().string();
    const auto served = served_.find(name);
    if (served != served_.end() && served->second == put->version) {
      return say(Style::kDim, name + " is the same as before");
    }
    awaited_.insert_or_assign(name, Awaited{put->version, steady_clock::now()});
    look_at_host_ = steady_clock::now();
  }

  void look_at_host() {
    const bool answers = (awaited_.empty() || look_at_plugins()) && runs_.look();
    if (!answers && answered_) {
      say(Style::kYellow, "the host does not answer; waiting for it");
    } else if (answers && !answered_) {
      say(Style::kGreen, "the host answers again");
    }
    answered_ = answers;
    look_at_host_ = steady_clock::now() + kLookEvery;
  }

  bool look_at_plugins() {
    const auto answer = client_.get("/perdure/v1/plugins");
    if (!answer) return false;
    const JsonView document(*answer);
    for (const JsonView& plugin : document["data"].items()) {
      const std::string name = fs::path(plugin["file"].text()).filename().string();
      const auto awaited = awaited_.find(name);
      if (awaited == awaited_.end() || plugin["versionHash"].text() != awaited->second.version.text()) continue;
      if (decided(name, awaited->second.version, plugin)) awaited_.erase(awaited);
    }
    std::erase_if(awaited_, [this](const auto& each) {
      const bool late = steady_clock::now() - each.second.since > kDecision;
      if (late) {
        complain("the host has not taken " + each.first + " in " + std::to_string(kDecision.count()) + " s; is " +
                 project_.plugins.string() + " its plugin directory?");
      }
      return late;
    });
    return true;
  }

  bool decided(const std::string& name, const store::VersionId& version, const JsonView& plugin) {
    const std::string state = plugin["state"].text();
    if (state == "refused") {
      say(Style::kRed, name + " is refused: " + plugin["reason"].text() +
                           (served_.contains(name) ? "\nWhat served goes on serving." : ""));
      return true;
    }
    if (state == "idle") {
      say(Style::kYellow, name + " does not serve: this content was rolled back; perdure plugins release lets it");
      return true;
    }
    if (state != "serving") return false;
    served_[name] = version;
    std::vector<std::string> tasks;
    std::string listed;
    for (const JsonView& task : plugin["tasks"].items()) {
      tasks.push_back(task.text());
      listed += (listed.empty() ? "" : ", ") + task.text();
    }
    say(Style::kGreen, name + " serves as version " + plugin["versionNumber"].text() + ": " + listed);
    for (const JsonView& warning : plugin["warnings"].items()) say(Style::kYellow, "warning: " + warning.text());
    runs_.follow(tasks);
    return true;
  }

  // Its attempts may end first; whoever is in a hurry presses Ctrl-C again.
  void end_own() {
    own_.ask_to_end();
    for (;;) {
      std::array<pollfd, 2> ready{{{own_.pidfd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
      signalfd_siginfo first{};
      if (!std::exchange(told_, true)) (void)!::read(signals_.get(), &first, sizeof first);
      (void)::poll(ready.data(), ready.size(), -1);
      if (ready[0].revents != 0) return own_.reap();
      (void)!::read(signals_.get(), &first, sizeof first);
      own_.ask_to_end();
    }
  }

  void say(Style style, const std::string& what) {
    const auto now = fmt::localtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    console_.out << styled(color_out(console_), Style::kDim, fmt::format("{:%H:%M:%S} ", now))
                 << styled(color_out(console_), style, printable(what)) << std::endl;
  }
  void complain(const std::string& what) {
    console_.err << styled(color_err(console_), Style::kRed, "perdure:") << " " << printable(what) << std::endl;
  }

  static constexpr auto kNever = steady_clock::time_point::max();

  const DevProject& project_;
  Client& client_;
  DevHost& own_;
  Console& console_;
  DevSources sources_;
  DevRuns runs_;
  os::UniqueFd signals_, build_ended_;
  pid_t build_ = 0;
  bool dirty_ = false;
  bool answered_ = true;
  bool told_ = false;
  int exit_status_ = kDone;
  steady_clock::time_point look_at_sources_ = kNever;
  steady_clock::time_point look_at_host_{};
  std::map<std::string, Awaited> awaited_;          // by file name: in the plugin directory, and not decided yet
  std::map<std::string, store::VersionId> served_;  // by file name: the newest that serves
};

}  // namespace

void hold_stop_signals() {
  const sigset_t stops = stop_signals();
  sigprocmask(SIG_BLOCK, &stops, nullptr);
}

int dev_session(const DevProject& project, Client& client, DevHost& own, Console& console) {
  return Session(project, client, own, console).run();
}

}  // namespace perdure::cli
