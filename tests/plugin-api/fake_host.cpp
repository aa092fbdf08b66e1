#include "tests/plugin-api/fake_host.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace perdure::test {
namespace {

std::string copy(perdure_str text) { return text.data != nullptr ? std::string(text.data, text.len) : std::string(); }
perdure_str lend(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace

struct FakeHost::Running {
  FakeHost* host;
  const Given* given;
  Outcome outcome;
  std::string words;
};

FakeHost::FakeHost() : services_(make_services()), cancel_fd_(eventfd(0, EFD_CLOEXEC)) {}
FakeHost::~FakeHost() { close(cancel_fd_); }

FakeHost::Running& FakeHost::running(const perdure_attempt* attempt) { return *static_cast<Running*>(attempt->host); }

perdure_status FakeHost::load(Entry entry) {
  perdure_registrar registrar{};
  registrar.struct_size = sizeof registrar;
  registrar.abi_major = PERDURE_ABI_MAJOR;
  registrar.abi_minor = PERDURE_ABI_MINOR;
  registrar.host = this;
  registrar.plugin = [](const perdure_registrar* self, const perdure_plugin* declared) -> perdure_status {
    auto* host = static_cast<FakeHost*>(self->host);
    host->plugin = copy(declared->name);
    host->version = copy(declared->version);
    return PERDURE_OK;
  };
  registrar.task = [](const perdure_registrar* self, const perdure_task* task) -> perdure_status {
    auto* host = static_cast<FakeHost*>(self->host);
    RegisteredTask added{copy(task->id), copy(task->options), task->user, task->run, {}};
    if (added.id == host->refused) return PERDURE_INVALID;
    if (task->hooks != nullptr) added.hooks = *task->hooks;
    host->tasks[added.id] = added;
    return PERDURE_OK;
  };
  registrar.hooks = [](const perdure_registrar* self, const perdure_hooks* given, std::uint32_t flags) {
    static_cast<FakeHost*>(self->host)->hooks.push_back({*given, flags});
    return perdure_status{PERDURE_OK};
  };
  registrar.fail = [](const perdure_registrar* self, perdure_str why) {
    static_cast<FakeHost*>(self->host)->fail_words = copy(why);
  };
  return entry(&registrar);
}

perdure_status FakeHost::load_file(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << dlerror();
  if (library == nullptr) return PERDURE_FAILED;
  const auto entry = reinterpret_cast<Entry>(dlsym(library, "perdure_register_v1"));
  EXPECT_NE(entry, nullptr);
  return entry != nullptr ? load(entry) : PERDURE_FAILED;
}

void FakeHost::cancel() {
  cancelled_ = true;
  const std::uint64_t one = 1;
  EXPECT_EQ(write(cancel_fd_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

perdure_services FakeHost::make_services() {
  perdure_services table{};
  table.struct_size = sizeof table;
  table.set_result = [](const perdure_attempt* attempt, perdure_str json) -> perdure_status {
    running(attempt).outcome.result = copy(json);
    return PERDURE_OK;
  };
  table.set_error = [](const perdure_attempt* attempt, const perdure_error* error) -> perdure_status {
    Outcome& outcome = running(attempt).outcome;
    outcome.error_type = copy(error->type);
    outcome.error_message = copy(error->message);
    outcome.error_detail = copy(error->detail);
    outcome.retry_at_ms = error->retry_at_ms;
    return PERDURE_OK;
  };
  table.last_error = [](const perdure_attempt* attempt) { return lend(running(attempt).words); };
  table.log = [](const perdure_attempt* attempt, perdure_level level, perdure_str message, perdure_str fields) {
    Running& now = running(attempt);
    const std::lock_guard lock(now.host->log_mutex_);
    now.outcome.log.push_back({level, copy(message), copy(fields)});
    return perdure_status{PERDURE_OK};
  };
  table.is_cancelled = [](const perdure_attempt* attempt) -> perdure_status {
    return running(attempt).host->cancelled_ ? PERDURE_CANCELLED : PERDURE_OK;
  };
  table.heartbeat = table.is_cancelled;
  table.cancel_fd = [](const perdure_attempt* attempt, std::int32_t* fd) -> perdure_status {
    Running& now = running(attempt);
    if (!now.host->has_cancel_fd) {
      now.words = "not offered";
      return PERDURE_INVALID;
    }
    *fd = now.host->cancel_fd_;
    return PERDURE_OK;
  };
  table.config = [](const perdure_attempt* attempt, perdure_str* json) -> perdure_status {
    *json = lend(running(attempt).given->config);
    return PERDURE_OK;
  };
  return table;
}

template <class Call>
Outcome FakeHost::attempt(const Given& given, Call&& call) {
  Running now{this, &given, {}, {}};
  perdure_attempt attempt{};
  attempt.struct_size = sizeof attempt;
  attempt.services = &services_;
  attempt.host = &now;
  attempt.task_id = PERDURE_STR("task");
  attempt.run_id = PERDURE_STR("run_1");
  attempt.payload = lend(given.payload);
  attempt.context = lend(given.context);
  attempt.event = lend(given.event);
  attempt.init = lend(given.init);
  attempt.number = given.number;
  now.outcome.status = call(&attempt);
  return now.outcome;
}

Outcome FakeHost::call(perdure_task_fn function, const Given& given) {
  return attempt(given, [&](const perdure_attempt* a) { return function(a); });
}

Outcome FakeHost::call(perdure_middleware_fn function, const Given& given) {
  struct Inner {
    int calls;
    perdure_status status;
  } inner{0, given.next};
  perdure_next next{};
  next.struct_size = sizeof next;
  next.host = &inner;
  next.call = [](const perdure_next* self) {
    auto* in = static_cast<Inner*>(self->host);
    ++in->calls;
    return in->status;
  };
  Outcome outcome = attempt(given, [&](const perdure_attempt* a) { return function(a, &next); });
  outcome.next_calls = inner.calls;
  return outcome;
}

Outcome FakeHost::run(std::string_view task, const Given& given) {
  const auto found = tasks.find(task);
  EXPECT_NE(found, tasks.end()) << "no task " << task;
  return found != tasks.end() ? call(found->second.run, given) : Outcome{};
}

}  // namespace perdure::test
