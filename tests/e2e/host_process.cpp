#include "tests/e2e/host_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace perdure::e2e {

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

pid_t spawn(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment, int out,
            const std::string& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<char*> argv;
  for (const std::string& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string variable(*each);
    const bool replaced = environment.contains(variable.substr(0, variable.find('=')));
    if (!replaced && !variable.starts_with("PERDURE_")) variables.push_back(variable);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> envp;
  for (std::string& each : variables) envp.push_back(each.data());
  envp.push_back(nullptr);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "perdure-e2e-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}
TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Ended run_program(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  const TemporaryDirectory directory;
  const std::string out = directory.path() / "out", err = directory.path() / "err";
  const int fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const pid_t pid = spawn(arguments, environment, fd, err);
  ::close(fd);
  Ended ended;
  if (pid > 0) ended.exit_status = wait_for(pid);
  ended.out = read_file(out);
  ended.err = read_file(err);
  return ended;
}

HostProcess::HostProcess(HostOptions options) : options_(std::move(options)) {
  if (options_.data.empty()) options_.data = directory_.path() / "data";
}
HostProcess::~HostProcess() {
  if (pid_ > 0) stop();
  kill_zygotes();  // of one that was killed and has no successor
}

void HostProcess::kill_zygotes() const {
  std::error_code none;
  for (const auto& zygote : std::filesystem::directory_iterator(options_.data / "run" / "zygotes", none)) {
    ::kill(std::stoi(zygote.path().filename().string()), SIGKILL);
  }
}

void HostProcess::kill_with_attempts() {
  signal(SIGSTOP);  // so that it does not see them die
  kill_zygotes();
  kill();
}

std::vector<std::string> HostProcess::command() const {
  std::vector<std::string> arguments = options_.within;
  for (const std::string& each :
       {options_.executable.string(), std::string("serve"), std::string("--plugins"), options_.plugins.string(),
        std::string("--data"), options_.data.string(), std::string("--listen"), std::string("127.0.0.1:0")}) {
    arguments.push_back(each);
  }
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  return arguments;
}

bool HostProcess::launch() {
  const int out = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (out < 0) return false;
  pid_ = spawn(command(), options_.environment, out, directory_.path() / "log");
  ::close(out);
  return pid_ > 0;
}

bool HostProcess::start() {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return false;
  pid_ = spawn(command(), options_.environment, out[1], directory_.path() / "log");
  ::close(out[1]);
  std::string said;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (said.find('\n') == std::string::npos && std::chrono::steady_clock::now() < deadline) {
    pollfd readable{out[0], POLLIN, 0};
    if (::poll(&readable, 1, 1000) <= 0) continue;
    char buffer[512];
    const ssize_t n = ::read(out[0], buffer, sizeof buffer);
    if (n <= 0) break;
    said.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(out[0]);
  const auto at = said.find("http://");
  if (pid_ < 0 || at == std::string::npos) return false;
  url_ = said.substr(at, said.find_first_of(" \n", at) - at);
  return true;
}

void HostProcess::kill() {
  signal(SIGKILL);
  wait();
}

int HostProcess::stop() {
  signal(SIGTERM);
  return wait();
}

void HostProcess::signal(int number) const { ::kill(pid_, number); }

int HostProcess::wait() { return wait_for(std::exchange(pid_, -1)); }

std::string HostProcess::key() const {
  std::string key = read_file(seen(options_.data / "secret"));
  while (!key.empty() && key.back() == '\n') key.pop_back();
  return key;
}

std::filesystem::path HostProcess::seen(const std::filesystem::path& path) const {
  return "/proc/" + std::to_string(pid_) + "/root" + path.string();
}

std::string HostProcess::log() const { return read_file(directory_.path() / "log"); }

Ended HostProcess::cli(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), options_.executable.string());
  return run_program(arguments, {{"PERDURE_URL", url_}, {"PERDURE_API_KEY", key()}});
}

std::string trigger(Http& http, const std::string& task, const std::string& payload, boost::json::object options) {
  options["payloadType"] = "application/json";
  const boost::json::object body{{"payload", payload}, {"options", std::move(options)}};
  const Answer answer = http.post("/api/v1/tasks/" + task + "/trigger", boost::json::serialize(body));
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto json = answer.json();
  return answer.status == 200 ? std::string(json.at("id").as_string()) : std::string();
}

boost::json::object await_run(Http& http, const std::string& id) {
  for (int i = 0; i < 4; ++i) {
    const Answer answer = http.get("/perdure/v1/runs/" + id + "?wait=60s");
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto json = answer.json();
    if (!json.is_object()) break;
    if (json.at("isCompleted").as_bool()) return json.as_object();
  }
  ADD_FAILURE() << "run " << id << " is not final after 4 minutes";
  return {};
}

}  // namespace perdure::e2e
