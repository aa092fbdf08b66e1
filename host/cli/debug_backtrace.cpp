#include "host/cli/debug_backtrace.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "host/cli/executables.h"
#include "host/cli/json_view.h"
#include "host/os/channels.h"
#include "host/os/process.h"
#include "host/process/environment.h"

namespace perdure::cli {
namespace {

constexpr std::chrono::seconds kPatience{9};  // the crashed process has ten

}  // namespace

std::string debug_backtrace(pid_t pid, pid_t tid) {
  const auto own = own_executable();
  os::Pipe pipe;
  if (!own || !os::open_pipe(pipe)) return {};
  os::Command command;
  command.path = own.value();
  command.arguments = {"backtrace", "--pid", std::to_string(pid), "--tid", std::to_string(tid)};
  command.environment = process::environment_of_zygotes({});
  command.descriptors = {{pipe.write.get(), 1}};
  const pid_t reader = os::spawn(command);
  if (reader < 0) return {};
  pipe.write.reset();
  std::string answer;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (bool more = true; more;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{pipe.read.get(), POLLIN, 0};
    std::array<char, 16384> chunk{};
    more = left.count() > 0 && ::poll(&readable, 1, static_cast<int>(left.count())) > 0;
    const ssize_t got = more ? ::read(pipe.read.get(), chunk.data(), chunk.size()) : 0;
    more = got > 0;
    if (more) answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  (void)::kill(reader, SIGKILL);  // it has said all, or is late
  os::reap(reader);
  return JsonView(answer)["text"].text();
}

}  // namespace perdure::cli
