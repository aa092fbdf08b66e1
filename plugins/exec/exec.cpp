// Runs a program as a durable task: {"argv", "cwd"?, "env"?, "stdin"?} -> {"exit_code", "stdout", "stderr"}. Only
// programs that the host's configuration names; an exit status other than 0 is a failure, retried by the policy.
#include <perdure/task.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "child.hpp"
#include "text.hpp"

namespace {

struct Command {
  std::vector<std::string> argv;
  std::optional<std::string> cwd;
  std::optional<std::map<std::string, std::string>> env;
  std::optional<std::string> stdin;
};
struct Ended {
  int exit_code = 0;
  std::string stdout;
  std::string stderr;
  std::optional<std::vector<std::string>> truncated;  // which of the two were longer than what is kept
};
struct Config {
  std::optional<std::vector<std::string>> allow;
};
BOOST_DESCRIBE_STRUCT(Command, (), (argv, cwd, env, stdin))
BOOST_DESCRIBE_STRUCT(Ended, (), (exit_code, stdout, stderr, truncated))
BOOST_DESCRIBE_STRUCT(Config, (), (allow))

constexpr std::size_t kMostInError = 16 << 10;  // bytes of each stream that an error carries

class ProgramNotAllowed : public perdure::Abort {
 public:
  explicit ProgramNotAllowed(const std::string& program)
      : Abort("exec may not run \"" + program + "\". To allow it, name it in perdure.toml: [plugins.exec] allow = [\"" +
              program + "\"]") {}
};

class ProgramFailed : public perdure::Error {
 public:
  ProgramFailed(const std::string& message, const Ended& ended, std::optional<int> signal)
      : Error("ProgramFailed", message,
              {{"exit_code", ended.exit_code},
               {"signal", signal ? perdure::json::value(*signal) : perdure::json::value(nullptr)},
               {"stdout", exec::tail(ended.stdout, kMostInError)},
               {"stderr", exec::tail(ended.stderr, kMostInError)}}) {}
};

void refuse_nul(std::string_view what, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw perdure::Abort(std::string(what) + " contains a NUL character, which no program can be given");
  }
}

void check(const Command& command, const Config& config) {
  if (command.argv.empty() || command.argv[0].empty()) throw perdure::Abort("argv must name a program");
  const std::string& program = command.argv[0];
  const auto allowed = config.allow.value_or(std::vector<std::string>());
  if (std::find(allowed.begin(), allowed.end(), program) == allowed.end()) throw ProgramNotAllowed(program);
  for (const std::string& argument : command.argv) refuse_nul("argv", argument);
  if (command.cwd) refuse_nul("cwd", *command.cwd);
  if (!command.env) return;
  for (const auto& [name, value] : *command.env) {
    refuse_nul("env", name + value);
    if (name.empty() || name.find('=') != std::string::npos) {
      throw perdure::Abort("env: \"" + name + "\" cannot be the name of a variable");
    }
    // The loader's own variables would make an allowed program run code of the caller's.
    if (name.rfind("LD_", 0) == 0) throw perdure::Abort("env: " + name + " may not be set; exec refuses LD_ variables");
  }
}

constexpr perdure::Task<Command, Ended> run_program{
    .id = "exec",
    .description = "Runs a program that perdure.toml allows",
    .run =
        [](Command command, perdure::Attempt& run) {
          check(command, run.config<Config>());
          exec::Start start;
          start.argv = command.argv;
          start.cwd = command.cwd.value_or("");
          start.env = command.env.value_or(std::map<std::string, std::string>());
          start.input = command.stdin.value_or("");
          exec::End end = exec::run_child(start, run);

          Ended ended;
          ended.stdout = exec::as_utf8(end.out.text);
          ended.stderr = exec::as_utf8(end.err.text);
          if (end.out.cut || end.err.cut) {
            ended.truncated.emplace();
            if (end.out.cut) ended.truncated->push_back("stdout");
            if (end.err.cut) ended.truncated->push_back("stderr");
          }
          const std::string name = command.argv[0];
          const std::string line = exec::last_line(ended.stderr);
          const std::string says = line.empty() ? "" : ": " + line;
          if (end.signal) {
            ended.exit_code = 128 + *end.signal;  // as a shell says it
            throw ProgramFailed(name + " was ended by signal " + std::to_string(*end.signal) + says, ended, end.signal);
          }
          ended.exit_code = end.exit_code;
          if (end.exit_code != 0) {
            throw ProgramFailed(name + " exited with status " + std::to_string(end.exit_code) + says, ended, {});
          }
          return ended;
        },
};

}  // namespace

PERDURE_PLUGIN("exec", "1.0.0", run_program)
