#include "tests/cli/host_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace perdure::cli {
namespace {

const std::string kPerdure = PERDURE_TEST_BIN_DIR "/perdure";

// Starts it with standard output and error going where `out` and `err` say.
pid_t start(const std::vector<std::string>& arguments, const std::vector<std::string>& variables, int out, int err) {
  std::vector<char*> argv{const_cast<char*>(kPerdure.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** each = environ; *each != nullptr; ++each) {
    if (std::strncmp(*each, "PERDURE_", 8) != 0) environment.push_back(*each);
  }
  for (const std::string& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, kPerdure.c_str(), &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + kPerdure + ": " + std::strerror(error));
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "perdure-serve-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Finished perdure_executable(const std::vector<std::string>& arguments, const std::vector<std::string>& variables) {
  const TemporaryDirectory here;
  const std::string out = here.path() + "/out", err = here.path() + "/err";
  const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const pid_t pid = start(arguments, variables, out_file, err_file);
  ::close(out_file);
  ::close(err_file);
  const int status = wait_for(pid);
  return {status, contents(out), contents(err)};
}

HostProcess::HostProcess(const std::string& data, const std::vector<std::string>& more) : data_(data) {
  std::vector<std::string> arguments{
      "serve", "--data", data, "--listen", "127.0.0.1:0", "--plugins", PERDURE_TEST_PLUGIN_DIR};
  arguments.insert(arguments.end(), more.begin(), more.end());
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const std::string log = data + ".log";
  const int err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = start(arguments, {}, pipe[1], err);
  ::close(pipe[1]);
  ::close(err);
  out_ = pipe[0];
  std::string line;
  for (char c = 0; ::read(out_, &c, 1) == 1 && c != '\n';) line += c;
  const auto at = line.find("http://");
  if (at == std::string::npos) throw std::runtime_error("the host did not get ready: " + line + contents(log));
  url_ = line.substr(at);
}

HostProcess::~HostProcess() {
  if (pid_ > 0) {
    signal(SIGKILL);
    wait();
  }
  ::close(out_);
}

std::vector<std::string> HostProcess::asking(std::vector<std::string> arguments) const {
  for (const std::string& each : {std::string("--url"), url_, std::string("--data"), data_}) arguments.push_back(each);
  return arguments;
}

void HostProcess::signal(int number) const { ::kill(pid_, number); }

int HostProcess::wait() {
  const int status = wait_for(pid_);
  pid_ = -1;
  return status;
}

}  // namespace perdure::cli
