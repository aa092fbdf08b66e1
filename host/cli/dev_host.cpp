#include "host/cli/dev_host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <system_error>

#include "host/cli/executables.h"
#include "host/os/channels.h"
#include "host/os/durable_file.h"
#include "host/os/process.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using store::Status;

constexpr std::size_t kShownLog = 2000;  // bytes

// The first line that comes, or what came before the end.
std::string first_line(int fd) {
  std::string line;
  std::array<char, 512> chunk{};
  while (line.find('\n') == std::string::npos) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    line.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

Status DevHost::start(const fs::path& project, const std::string& listen) {
  directory_ = project / ".perdure";
  std::error_code failed;
  fs::create_directories(plugins(), failed);
  if (failed) return Status::io("the directory " + plugins().string() + " could not be made: " + failed.message());
  std::ofstream(directory_ / ".gitignore") << "*\n";
  const auto own = own_executable();
  if (!own) return own.status();
  os::Pipe ready;
  const os::UniqueFd log(
      ::open((directory_ / "host.log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!log || !os::open_pipe(ready))
    return Status::io("the host's log " + (directory_ / "host.log").string() + " cannot be written");
  os::Command host;
  host.path = own.value();
  host.arguments = {"serve",    "--data", data(),    "--plugins", plugins().string(),
                    "--listen", listen,   "--drain", "cancel"};
  for (char** variable = environ; *variable != nullptr; ++variable) host.environment.emplace_back(*variable);
  host.descriptors = {{ready.write.get(), 1}, {log.get(), 2}};
  host.own_group = true;  // Ctrl-C is for us, who then end it
  pid_ = os::spawn(host);
  if (pid_ < 0) return Status::unavailable("no host could be started");
  pidfd_ = os::open_pidfd(pid_);
  ready.write.reset();
  const std::string said = first_line(ready.read.get());
  const auto at = said.find("http://");
  if (at == std::string::npos) {
    os::reap(pid_);
    pid_ = 0;
    return Status::unavailable("the host that was started for this ended at once:\n" + log_end());
  }
  url_ = said.substr(at, said.find_first_of(" \n", at) - at);
  return {};
}

std::string DevHost::log_end() const {
  std::string log;
  (void)os::read_file((directory_ / "host.log").string(), log);
  if (log.size() > kShownLog) log.erase(0, log.find('\n', log.size() - kShownLog) + 1);
  return log;
}

void DevHost::ask_to_end() const {
  if (pid_ > 0) (void)::kill(pid_, SIGTERM);
}

void DevHost::reap() {
  if (pid_ > 0) os::reap(pid_);
  pid_ = 0;
}

DevHost::~DevHost() {
  ask_to_end();
  ask_to_end();
  reap();
}

}  // namespace perdure::cli
