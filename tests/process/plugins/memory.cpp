// A plugin whose tasks take memory in ways that must be noticed, and in ways that must not be taken amiss. The tests
// start them by id; numbers in payloads are MiB.
#include <fcntl.h>
#include <perdure/plugin.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <new>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

long number(const perdure_attempt* a) { return atol(std::string(a->payload.data, a->payload.len).c_str()); }
void say(const perdure_attempt* a, const char* text) { a->services->log(a, PERDURE_INFO, {text, strlen(text)}, {}); }
perdure_status done(const perdure_attempt* a) { return a->services->set_result(a, PERDURE_STR("\"done\"")); }

void* take(std::size_t mebibytes) {
  void* memory = mmap(nullptr, mebibytes * kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memset(memory, 1, mebibytes * kMiB);
  return memory;
}
void give_back(void* memory, std::size_t mebibytes) { munmap(memory, mebibytes * kMiB); }

[[noreturn]] void take_without_end() {
  for (;;) (void)take(1);
}

// Until the host says so.
void await_cancel(const perdure_attempt* a) {
  while (a->services->is_cancelled(a) == 0) usleep(1000);
}

perdure_status endless(const perdure_attempt*) { take_without_end(); }

perdure_status hold(const perdure_attempt* a) {
  (void)take(static_cast<std::size_t>(number(a)));
  say(a, "holding");
  await_cancel(a);
  return done(a);
}

perdure_status take_and_return(const perdure_attempt* a) {
  const auto mebibytes = static_cast<std::size_t>(number(a));
  void* const memory = take(mebibytes);
  usleep(60'000);
  give_back(memory, mebibytes);
  return done(a);
}

// How many MiB take_slowly() has taken in all processes together, in a page that the test sees, too.
std::atomic<long>* const taken_by_all = [] {
  const char* path = getenv("PERDURE_TEST_TAKEN");
  const int file = path != nullptr ? open(path, O_RDWR | O_CLOEXEC) : -1;
  void* page =
      mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | (file < 0 ? MAP_ANONYMOUS : 0), file, 0);
  if (file >= 0) close(file);
  return static_cast<std::atomic<long>*>(page);
}();

// Takes memory a MiB at a time, with a pause after each.
void take_slowly(long mebibytes, useconds_t rest) {
  for (long taken = 0; taken < mebibytes; taken++) {
    (void)take(1);
    taken_by_all->fetch_add(1);
    if (rest > 0) usleep(rest);
  }
}

// Four processes, each with a quarter.
perdure_status share_among_four(const perdure_attempt* a, useconds_t rest) {
  const long quarter = number(a) / 4;
  for (int i = 0; i < 3; i++) {
    if (fork() == 0) {
      take_slowly(quarter, rest);
      for (;;) pause();
    }
  }
  take_slowly(quarter, rest);
  await_cancel(a);
  return done(a);
}

// At some 100 MB/s each, as work does that does something with it.
perdure_status among_four(const perdure_attempt* a) { return share_among_four(a, 10'000); }
perdure_status among_four_at_once(const perdure_attempt* a) { return share_among_four(a, 0); }

// Takes memory, shares it with three processes, which costs nothing, and in a while all of them write to it.
perdure_status unshare_among_four(const perdure_attempt* a) {
  const long mebibytes = number(a);
  char* const memory = static_cast<char*>(take(static_cast<std::size_t>(mebibytes)));
  say(a, "sharing");
  for (int i = 0; i < 3 && fork() != 0; i++) {
  }
  usleep(100'000);
  for (long i = 0; i < mebibytes; i++) {
    memset(memory + static_cast<std::size_t>(i) * kMiB, 2, kMiB);
    usleep(10'000);
  }
  for (;;) pause();
  return done(a);
}

// In a process that has left its session and its parent, and whose end the attempt does not see.
perdure_status in_a_daemon(const perdure_attempt* a) {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) take_without_end();
    _exit(0);
  }
  for (;;) sleep(1);
  return done(a);
}

// The attempt's own process notices the end of its child, and fails in its own words.
perdure_status in_a_child(const perdure_attempt*) {
  const pid_t child = fork();
  if (child == 0) take_without_end();
  waitpid(child, nullptr, 0);
  return PERDURE_FAILED;
}

// Takes much at once, gives it back, and later takes as much again: never more than it may have.
perdure_status twice(const perdure_attempt* a) {
  const auto mebibytes = static_cast<std::size_t>(number(a));
  give_back(take(mebibytes), mebibytes);
  usleep(1'500'000);
  give_back(take(mebibytes), mebibytes);
  return done(a);
}

perdure_status throw_bad_alloc(const perdure_attempt*) { throw std::bad_alloc(); }

perdure_status usage(const perdure_attempt* a) {
  perdure_str json{};
  if (const perdure_status s = a->services->usage(a, &json)) return s;
  return a->services->set_result(a, json);
}

perdure_status work_for_100_ms(const perdure_attempt* a) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  while (std::chrono::steady_clock::now() < end) sched_yield();
  return done(a);
}

perdure_status pid(const perdure_attempt* a) {
  const std::string json = std::to_string(getpid());
  return a->services->set_result(a, {json.data(), json.size()});
}

struct Entry {
  const char* id;
  perdure_task_fn run;
  const char* options = "{}";
};
constexpr Entry kTasks[] = {
    {"endless", endless},
    {"hold", hold},
    {"take_and_return", take_and_return},
    {"among_four", among_four},
    {"among_four_at_once", among_four_at_once},
    {"unshare_among_four", unshare_among_four},
    {"in_a_daemon", in_a_daemon},
    {"in_a_child", in_a_child},
    {"twice", twice},
    {"throw_bad_alloc", throw_bad_alloc},
    {"usage", usage},
    {"work_for_100_ms", work_for_100_ms},
    {"pid", pid},
    {"grows", take_and_return,
     R"({"machine": {"cpu": 1, "memory": 134217728}, "retry": {"minTimeoutMs": 1, "outOfMemory": {"machine": "auto"}}})"},
};

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("memory");
  if (const perdure_status s = host->plugin(host, &plugin)) return s;
  for (const Entry& entry : kTasks) {
    perdure_task task{};
    task.struct_size = sizeof task;
    task.id = {entry.id, strlen(entry.id)};
    task.run = entry.run;
    task.options = {entry.options, strlen(entry.options)};
    if (const perdure_status s = host->task(host, &task)) return s;
  }
  return PERDURE_OK;
}
