// A host inside the test's own process: takes what a plugin registers and calls its functions with services that
// remember what they were told. No child process, no time limit. A test's thread, but cancel(), which any may call.
#pragma once

#include <perdure/plugin.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::test {

struct RegisteredTask {
  std::string id;
  std::string options;
  void* user = nullptr;
  perdure_task_fn run = nullptr;
  perdure_hooks hooks{};  // struct_size 0: none
};

struct RegisteredHooks {
  perdure_hooks hooks;
  std::uint32_t flags;
};

struct LogLine {
  perdure_level level;
  std::string message;
  std::string fields;
};

/// What an attempt is given; JSON texts.
struct Given {
  std::string payload;
  std::string context = "{}";
  std::string config = "{}";
  std::string event;
  std::string init;
  std::uint32_t number = 1;
  perdure_status next = PERDURE_OK;  // what a middleware's next() returns
};

/// What became of it.
struct Outcome {
  perdure_status status = PERDURE_OK;
  std::string result;
  std::string error_type, error_message, error_detail;
  std::int64_t retry_at_ms = 0;
  std::vector<LogLine> log;
  int next_calls = 0;
};

class FakeHost {
 public:
  using Entry = perdure_status (*)(const perdure_registrar*);

  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// Calls an entry point; every id in `refused` makes task() answer PERDURE_INVALID.
  perdure_status load(Entry entry);
  /// Opens a shared object and calls its entry point; the test fails when there is none.
  perdure_status load_file(const std::string& path);

  Outcome run(std::string_view task, const Given& given);
  Outcome call(perdure_task_fn function, const Given& given);
  Outcome call(perdure_middleware_fn function, const Given& given);

  /// From now on is_cancelled answers PERDURE_CANCELLED and the descriptor polls readable.
  void cancel();
  bool has_cancel_fd = true;  // whether cancel_fd is offered
  std::string refused;        // a task id that registration refuses

  std::string plugin, version;
  std::map<std::string, RegisteredTask, std::less<>> tasks;
  std::vector<RegisteredHooks> hooks;
  std::string fail_words;

 private:
  struct Running;
  template <class Call>
  Outcome attempt(const Given& given, Call&& call);
  static Running& running(const perdure_attempt* attempt);
  perdure_services make_services();

  perdure_services services_;
  std::atomic<bool> cancelled_{false};
  int cancel_fd_;
  std::mutex log_mutex_;
};

}  // namespace perdure::test
