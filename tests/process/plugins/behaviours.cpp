// A plugin whose tasks each end an attempt in one of the ways a supervisor must cope with. The tests start them by id.
#include <dirent.h>
#include <fcntl.h>
#include <perdure/plugin.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>

namespace {

perdure_str str(const std::string& text) { return {text.data(), text.size()}; }
perdure_status result(const perdure_attempt* a, const std::string& json) {
  return a->services->set_result(a, str(json));
}
std::string payload(const perdure_attempt* a) { return {a->payload.data, a->payload.len}; }
long number(const perdure_attempt* a) { return atol(payload(a).c_str()); }
void say(const perdure_attempt* a, const char* text) { a->services->log(a, PERDURE_INFO, {text, strlen(text)}, {}); }

perdure_status echo(const perdure_attempt* a) { return a->services->set_result(a, a->payload); }

perdure_status fail_with(const perdure_attempt* a, perdure_status status) {
  perdure_error error{};
  error.struct_size = sizeof error;
  error.type = PERDURE_STR("FixtureError");
  error.message = PERDURE_STR("boom");
  error.detail = PERDURE_STR("{\"code\":7}");
  error.retry_at_ms = 1234567890123;
  a->services->set_error(a, &error);
  return status;
}
perdure_status fail(const perdure_attempt* a) { return fail_with(a, PERDURE_FAILED); }
perdure_status forbid_retries(const perdure_attempt* a) { return fail_with(a, PERDURE_ABORTED); }
perdure_status out_of_memory(const perdure_attempt* a) { return fail_with(a, PERDURE_OUT_OF_MEMORY); }
perdure_status end_as_cancelled(const perdure_attempt*) { return PERDURE_CANCELLED; }

perdure_status raise_signal(const perdure_attempt* a) {
  raise(static_cast<int>(number(a)));
  return PERDURE_OK;
}

perdure_status kill_self(const perdure_attempt*) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

[[gnu::noinline]] void write_to_null(int value) {
  volatile int* volatile nowhere = nullptr;  // so that no optimizer sees it
  *nowhere = value;
}
perdure_status null_write(const perdure_attempt*) {
  write_to_null(1);
  return PERDURE_OK;
}

[[gnu::noinline]] int descend(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : descend(depth + 1) + frame[0];
}
perdure_status overflow_stack(const perdure_attempt*) { return descend(0) == 1 ? PERDURE_OK : PERDURE_FAILED; }

perdure_status crash_in_thread(const perdure_attempt*) {
  std::thread([] { write_to_null(2); }).join();
  return PERDURE_OK;
}

perdure_status leave(const perdure_attempt* a) { exit(static_cast<int>(number(a))); }
perdure_status leave_at_once(const perdure_attempt* a) { _exit(static_cast<int>(number(a))); }

perdure_status large_result(const perdure_attempt* a) {
  std::string json(static_cast<std::size_t>(number(a)), 'x');
  json.front() = json.back() = '"';
  return result(a, json);
}
perdure_status deep_result(const perdure_attempt* a) {
  const auto depth = static_cast<std::size_t>(number(a));
  return result(a, std::string(depth, '[') + std::string(depth, ']'));
}
// The payload is a JSON string; what is in it is the result, taken as it is but for \xNN.
perdure_status raw_result(const perdure_attempt* a) {
  const std::string text = payload(a);
  std::string raw;
  for (std::size_t i = 1; i + 1 < text.size(); i++) {
    if (text[i] == '%') {
      raw += static_cast<char>(strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      raw += text[i];
    }
  }
  return result(a, raw);
}

perdure_status print(const perdure_attempt* a) {
  printf("first line\nto stdout");  // the last line is not ended
  fprintf(stderr, "to stderr\n");
  return result(a, "null");
}
perdure_status print_and_crash(const perdure_attempt*) {
  fprintf(stderr, "last words\n");
  write_to_null(3);
  return PERDURE_OK;
}
perdure_status print_bytes(const perdure_attempt* a) {
  const char bytes[] = "bad \xff byte\n";
  return write(1, bytes, sizeof bytes - 1) > 0 ? result(a, "null") : PERDURE_FAILED;
}
perdure_status print_long_line(const perdure_attempt* a) {
  const std::string line(static_cast<std::size_t>(number(a)), 'x');
  puts(line.c_str());
  return result(a, "null");
}
// Writes this many bytes in lines of 100, then says so.
perdure_status chatter(const perdure_attempt* a) {
  const std::string line = std::string(99, 'c') + '\n';
  for (long left = number(a); left > 0; left -= 100) {
    if (write(1, line.data(), line.size()) < 0) return PERDURE_FAILED;
  }
  return result(a, "\"done\"");
}
perdure_status chatter_for_ever(const perdure_attempt*) {
  const std::string line = std::string(99, 'c') + '\n';
  for (;;) {
    if (write(1, line.data(), line.size()) < 0) return PERDURE_FAILED;
  }
}

perdure_status log_lines(const perdure_attempt* a) {
  for (long i = 0; i < number(a); i++) {
    a->services->log(a, PERDURE_WARN, str("line " + std::to_string(i)), PERDURE_STR("{\"n\":1}"));
  }
  return result(a, "null");
}

perdure_status until_cancelled(const perdure_attempt* a) {
  say(a, "started");
  while (a->services->is_cancelled(a) == PERDURE_OK) usleep(1000);
  return PERDURE_CANCELLED;
}
perdure_status succeed_when_cancelled(const perdure_attempt* a) {
  say(a, "started");
  while (a->services->is_cancelled(a) == PERDURE_OK) usleep(1000);
  return result(a, "\"made it\"");
}
perdure_status sleep_forever(const perdure_attempt* a) {
  say(a, "started");
  for (;;) pause();
}
perdure_status sleep_ms(const perdure_attempt* a) {
  say(a, "started");
  usleep(static_cast<useconds_t>(number(a)) * 1000);
  return result(a, "null");
}
perdure_status ignore_sigterm(const perdure_attempt* a) {
  signal(SIGTERM, SIG_IGN);
  return sleep_forever(a);
}
perdure_status stop_itself(const perdure_attempt* a) {
  say(a, "started");
  raise(SIGSTOP);
  return PERDURE_OK;
}
perdure_status kill_parent(const perdure_attempt* a) {
  say(a, "started");
  kill(getppid(), SIGKILL);
  for (;;) pause();
}

// Starts a daemon in a session of its own and logs its pid.
bool daemonize(const perdure_attempt* a) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  if (fork() == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    signal(SIGTERM, SIG_IGN);
    const pid_t self = getpid();
    if (write(ends[1], &self, sizeof self) < 0) _exit(1);
    for (;;) pause();
  }
  pid_t daemon = 0;
  if (read(ends[0], &daemon, sizeof daemon) != sizeof daemon) return false;
  say(a, std::to_string(daemon).c_str());
  return true;
}
perdure_status daemonize_and_return(const perdure_attempt* a) {
  return daemonize(a) ? result(a, "null") : PERDURE_FAILED;
}
perdure_status daemonize_and_stay(const perdure_attempt* a) {
  if (!daemonize(a)) return PERDURE_FAILED;
  for (;;) pause();
}

perdure_status execute_and_stay(const perdure_attempt* a) {
  say(a, "executes");
  execlp("sleep", "sleep", "1000", static_cast<char*>(nullptr));
  return PERDURE_FAILED;
}
// Processes that are always a step ahead: each starts the next and is gone. They end by themselves after some seconds.
perdure_status fork_on(const perdure_attempt* a) {
  constexpr int kChains = 4, kLength = 10'000;
  for (int chain = 0; chain < kChains; chain++) {
    if (fork() != 0) continue;
    for (int i = 0; i < kLength; i++) {
      if (fork() != 0) _exit(0);
    }
    _exit(0);
  }
  say(a, "forks");
  for (;;) pause();
}
perdure_status leave_a_zombie(const perdure_attempt* a) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  if (child < 0 || waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0) return PERDURE_FAILED;
  say(a, "left one");
  for (;;) pause();
}

int served = 0;
perdure_status count(const perdure_attempt* a) { return result(a, std::to_string(++served)); }
perdure_status count_and_fail(const perdure_attempt* a) {
  ++served;
  return fail(a);
}

// What the host's socket gets from a task that writes to every descriptor it has.
void send_everywhere(const void* bytes, std::size_t size) {
  for (int fd = 3; fd < 64; fd++) (void)send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
perdure_status write_garbage(const perdure_attempt* a) {
  say(a, "started");
  const std::string garbage = "this is not a frame, but long enough to be one";
  send_everywhere(garbage.data(), garbage.size());
  for (;;) pause();
}
struct Header {
  std::uint32_t magic = 0x31445250;
  std::uint16_t kind = 0, flags = 0;
  std::uint32_t arg = 0, json_size = 0;
  std::uint64_t id = 0, raw_size = 0;
};
perdure_status send_unknown_kind(const perdure_attempt*) {
  Header header;
  header.kind = 999;
  send_everywhere(&header, sizeof header);
  for (;;) pause();
}
perdure_status send_oversized(const perdure_attempt*) {
  Header header;
  header.kind = 49;
  header.raw_size = std::uint64_t{1} << 40;
  send_everywhere(&header, sizeof header);
  for (;;) pause();
}
perdure_status send_bad_error(const perdure_attempt*) {
  struct {
    Header header;
    char json[2] = {'{', '\xff'};
  } frame;
  frame.header.kind = 48;
  frame.header.arg = 1;
  frame.header.json_size = 2;
  send_everywhere(&frame, sizeof(Header) + 2);
  for (;;) pause();
}
perdure_status send_short_usage(const perdure_attempt*) {
  Header header;
  header.kind = 54;
  send_everywhere(&header, sizeof header);
  for (;;) pause();
}
perdure_status send_outcome_of_another(const perdure_attempt*) {
  Header header;
  header.kind = 48;
  header.id = 7;
  send_everywhere(&header, sizeof header);
  for (;;) pause();
}
// Says twice how it ended; the second time is none of the host's business any more.
perdure_status send_two_outcomes(const perdure_attempt* a) {
  struct {
    Header header;
    char raw[4] = {'"', 'a', '"', ' '};
  } frame;
  frame.header.kind = 48;
  frame.header.id = 1;
  frame.header.raw_size = 4;
  send_everywhere(&frame, sizeof(Header) + 4);
  return result(a, "\"b\"");
}
// Says by hand how it ended and asks then.
perdure_status ask_after_outcome(const perdure_attempt* a) {
  struct {
    Header header;
    char raw[4] = {'"', 'a', '"', ' '};
  } outcome;
  outcome.header.kind = 48;
  outcome.header.id = 1;
  outcome.header.raw_size = 4;
  send_everywhere(&outcome, sizeof(Header) + 4);
  Header request;
  request.kind = 52;
  request.arg = 4;
  request.id = 1;
  send_everywhere(&request, sizeof request);
  return result(a, "\"b\"");
}
// Sends `count` requests and never reads an answer.
[[noreturn]] void ask(std::uint32_t kind, std::uint64_t first, std::uint64_t count, std::uint64_t step = 1) {
  Header request;
  request.kind = 52;
  request.arg = kind;
  for (std::uint64_t i = 0; i < count; i++) {
    request.id = first + i * step;
    while (send(3, &request, sizeof request, MSG_NOSIGNAL) < 0) usleep(100);
  }
  for (;;) pause();
}
perdure_status ask_unknown_kind(const perdure_attempt*) { ask(77, 1, 1); }
perdure_status ask_too_often(const perdure_attempt*) { ask(4, 1, 65); }
perdure_status ask_twice_by_one_number(const perdure_attempt*) { ask(4, 5, 2, 0); }
perdure_status ask_with_much(const perdure_attempt*) {
  const std::size_t size = (std::size_t{4} << 20) + 1;
  const int memory = memfd_create("much", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0 || ftruncate(memory, static_cast<off_t>(size)) != 0) return PERDURE_FAILED;
  fcntl(memory, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  Header request;
  request.kind = 52;
  request.flags = 1;
  request.arg = 4;
  request.id = 1;
  request.raw_size = size;
  iovec part{&request, sizeof request};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof memory)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* beside = CMSG_FIRSTHDR(&message);
  beside->cmsg_level = SOL_SOCKET;
  beside->cmsg_type = SCM_RIGHTS;
  beside->cmsg_len = CMSG_LEN(sizeof memory);
  memcpy(CMSG_DATA(beside), &memory, sizeof memory);
  if (sendmsg(3, &message, MSG_NOSIGNAL) < 0) return PERDURE_FAILED;
  for (;;) pause();
}
// Asks what comes in the payload, once, and leaves it at that.
perdure_status ask_once(const perdure_attempt*) { ask(4, 9, 1); }
// Leaves large answers unread.
perdure_status ask_and_not_read(const perdure_attempt*) { ask(4, 1, 60); }
perdure_status close_everything(const perdure_attempt*) {
  for (int fd = 0; fd < 1024; fd++) close(fd);
  for (;;) pause();
}

struct Entry {
  const char* id;
  perdure_task_fn run;
};
#define PERDURE_ENTRY(name) \
  { #name, name }
const Entry kTasks[] = {
    PERDURE_ENTRY(echo),
    PERDURE_ENTRY(fail),
    PERDURE_ENTRY(forbid_retries),
    PERDURE_ENTRY(out_of_memory),
    PERDURE_ENTRY(end_as_cancelled),
    PERDURE_ENTRY(raise_signal),
    PERDURE_ENTRY(kill_self),
    PERDURE_ENTRY(null_write),
    PERDURE_ENTRY(overflow_stack),
    PERDURE_ENTRY(crash_in_thread),
    PERDURE_ENTRY(leave),
    PERDURE_ENTRY(leave_at_once),
    PERDURE_ENTRY(large_result),
    PERDURE_ENTRY(deep_result),
    PERDURE_ENTRY(raw_result),
    PERDURE_ENTRY(print),
    PERDURE_ENTRY(print_and_crash),
    PERDURE_ENTRY(print_bytes),
    PERDURE_ENTRY(print_long_line),
    PERDURE_ENTRY(chatter),
    PERDURE_ENTRY(chatter_for_ever),
    PERDURE_ENTRY(log_lines),
    PERDURE_ENTRY(until_cancelled),
    PERDURE_ENTRY(succeed_when_cancelled),
    PERDURE_ENTRY(sleep_forever),
    PERDURE_ENTRY(sleep_ms),
    PERDURE_ENTRY(ignore_sigterm),
    PERDURE_ENTRY(stop_itself),
    PERDURE_ENTRY(kill_parent),
    PERDURE_ENTRY(daemonize_and_return),
    PERDURE_ENTRY(daemonize_and_stay),
    PERDURE_ENTRY(execute_and_stay),
    PERDURE_ENTRY(fork_on),
    PERDURE_ENTRY(leave_a_zombie),
    PERDURE_ENTRY(count),
    PERDURE_ENTRY(count_and_fail),
    PERDURE_ENTRY(write_garbage),
    PERDURE_ENTRY(send_unknown_kind),
    PERDURE_ENTRY(send_oversized),
    PERDURE_ENTRY(send_bad_error),
    PERDURE_ENTRY(send_short_usage),
    PERDURE_ENTRY(send_outcome_of_another),
    PERDURE_ENTRY(send_two_outcomes),
    PERDURE_ENTRY(ask_after_outcome),
    PERDURE_ENTRY(ask_unknown_kind),
    PERDURE_ENTRY(ask_too_often),
    PERDURE_ENTRY(ask_twice_by_one_number),
    PERDURE_ENTRY(ask_with_much),
    PERDURE_ENTRY(ask_once),
    PERDURE_ENTRY(ask_and_not_read),
    PERDURE_ENTRY(close_everything),
};

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("behaviours");
  plugin.version = PERDURE_STR("1.2.3");
  if (const perdure_status s = host->plugin(host, &plugin)) return s;
  for (const Entry& entry : kTasks) {
    perdure_task task{};
    task.struct_size = sizeof task;
    task.id = {entry.id, strlen(entry.id)};
    task.options = PERDURE_STR("{\"retry\": {\"factor\": 1.80}}");
    task.run = entry.run;
    if (const perdure_status s = host->task(host, &task)) return s;
  }
  return PERDURE_OK;
}
