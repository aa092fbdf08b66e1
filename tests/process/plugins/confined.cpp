// A plugin whose tasks tell what their process may do, and leave things behind. The tests start them by id.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <perdure/plugin.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;

perdure_status result(const perdure_attempt* a, const std::string& json) {
  return a->services->set_result(a, {json.data(), json.size()});
}
std::string text_of(const perdure_attempt* a) {  // of a payload that is a plain JSON string
  return a->payload.len < 2 ? std::string() : std::string(a->payload.data + 1, a->payload.len - 2);
}
std::string quoted(const std::string& text) { return '"' + text + '"'; }

// {"NAME":"VALUE",…} of the whole environment; values that would need escapes are left out.
perdure_status environment(const perdure_attempt* a) {
  std::string json = "{";
  for (char** each = environ; *each != nullptr; each++) {
    const std::string entry = *each;
    const std::size_t equal = entry.find('=');
    if (entry.find_first_of("\"\\\n") != std::string::npos) continue;
    json += (json.size() > 1 ? ",\"" : "\"") + entry.substr(0, equal) + "\":\"" + entry.substr(equal + 1) + '"';
  }
  return result(a, json + '}');
}

// The numbers of the open descriptors.
perdure_status descriptors(const perdure_attempt* a) {
  std::string json = "[";
  for (int fd = 0; fd < 4096; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) json += (json.size() > 1 ? "," : "") + std::to_string(fd);
  }
  return result(a, json + ']');
}

perdure_status privileges(const perdure_attempt* a) {
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  uid_t real = 0, effective = 0, saved = 0;
  getresuid(&real, &effective, &saved);
  return result(a, "{\"noNewPrivileges\":" + std::to_string(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) +
                       ",\"leadsSession\":" + (getsid(0) == getpid() ? "true" : "false") +
                       ",\"core\":" + std::to_string(core.rlim_cur) + ",\"coreMost\":" + std::to_string(core.rlim_max) +
                       ",\"uid\":" + std::to_string(real) + ",\"gid\":" + std::to_string(getgid()) +
                       ",\"groups\":" + std::to_string(getgroups(0, nullptr)) +
                       ",\"canBecomeRoot\":" + (setuid(0) == 0 ? "true" : "false") + '}');
}

// TMPDIR, and whether it is an empty directory of mode 0700 that a file can be made in (and is removed from again).
perdure_status temporary(const perdure_attempt* a) {
  const char* const path = getenv("TMPDIR");
  if (path == nullptr) return result(a, "null");
  struct stat is {};
  bool good = stat(path, &is) == 0 && S_ISDIR(is.st_mode) && (is.st_mode & 07777) == 0700 && fs::is_empty(path);
  const std::string file = std::string(path) + "/probe";
  good = good && std::ofstream(file).good() && unlink(file.c_str()) == 0;
  return result(a, good ? quoted(path) : quoted(std::string("bad: ") + path));
}

// Leaves a tree in TMPDIR that is unpleasant to remove; then ends as the payload says.
perdure_status leave_files(const perdure_attempt* a) {
  const std::string path = getenv("TMPDIR");
  const std::string how = text_of(a);
  if (chdir(path.c_str()) != 0) return PERDURE_FAILED;
  std::ofstream("file") << "text";
  (void)!symlink("/", "link-to-root");
  (void)!mkfifo("pipe", 0600);
  for (int i = 0; i < 40; i++) {
    if (mkdir("d", 0700) != 0 || chdir("d") != 0) return PERDURE_FAILED;
  }
  std::ofstream("deep") << "text";
  if (chdir(path.c_str()) != 0 || mkdir("closed", 0700) != 0) return PERDURE_FAILED;
  std::ofstream("closed/file") << "text";
  if (chmod("closed", 0) != 0) return PERDURE_FAILED;
  if (how == "crash") abort();
  if (how == "hide") {
    if (chdir("/") != 0 || rename(path.c_str(), (path + "-hidden").c_str()) != 0) return PERDURE_FAILED;
  }
  if (how == "replace") {
    if (chdir("/") != 0 || rename(path.c_str(), (path + "-hidden").c_str()) != 0 || symlink("/", path.c_str()) != 0) {
      return PERDURE_FAILED;
    }
  }
  if (how == "stay") {
    a->services->log(a, PERDURE_INFO, PERDURE_STR("here"), {});
    for (;;) pause();
  }
  return result(a, quoted(path));
}
perdure_status close_directory(const perdure_attempt* a) {  // so that nobody can write to it any more
  const char* const path = getenv("TMPDIR");
  return chmod(path, 0500) == 0 ? result(a, quoted(path)) : PERDURE_FAILED;
}

// Each tries something and tells errno, 0 when it could be done.
int in_child(int (*attempt)()) {
  const pid_t child = fork();
  if (child == 0) _exit(attempt());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
int outcome(long got) { return got < 0 ? errno : 0; }
int internet() { return outcome(socket(AF_INET, SOCK_STREAM, 0)); }
int local() { return outcome(socket(AF_UNIX, SOCK_STREAM, 0)); }
int program() {
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  execv("/bin/true", arguments);
  return errno;
}
int script() {
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  const int file = open("/bin/true", O_PATH | O_CLOEXEC);
  syscall(SYS_execveat, file, "", arguments, environ, AT_EMPTY_PATH);
  return errno;
}
int ring() {
  io_uring_params how{};
  return outcome(syscall(SYS_io_uring_setup, 1, &how));
}
int trace() { return outcome(ptrace(PTRACE_SEIZE, getppid(), nullptr, nullptr)); }
int threaded = 0;
int in_thread() {
  std::thread([] { threaded = internet(); }).join();
  return threaded;
}
// As 32-bit programs call: getpid, which harms nobody.
int foreign() {
#ifdef __x86_64__
  long number = 20;
  asm volatile("int $0x80" : "+a"(number) : : "memory");
#endif
  return 0;
}

perdure_status tries(const perdure_attempt* a) {
  return result(a, "{\"internet\":" + std::to_string(internet()) + ",\"thread\":" + std::to_string(in_thread()) +
                       ",\"netlink\":" + std::to_string(outcome(socket(AF_NETLINK, SOCK_RAW, 0))) +
                       ",\"child\":" + std::to_string(in_child(internet)) + ",\"local\":" + std::to_string(local()) +
                       ",\"program\":" + std::to_string(in_child(program)) +
                       ",\"descriptor\":" + std::to_string(in_child(script)) +
                       ",\"trace\":" + std::to_string(in_child(trace)) + ",\"pid\":" + std::to_string(getpid()) + '}');
}
perdure_status tries_ring(const perdure_attempt* a) { return result(a, std::to_string(ring())); }
perdure_status tries_foreign(const perdure_attempt* a) { return result(a, std::to_string(in_child(foreign))); }
perdure_status calls_foreign(const perdure_attempt* a) { return result(a, std::to_string(foreign())); }

struct Entry {
  const char* id;
  perdure_task_fn run;
};
#define PERDURE_ENTRY(name) \
  { #name, name }
const Entry kTasks[] = {
    PERDURE_ENTRY(environment),   PERDURE_ENTRY(descriptors),     PERDURE_ENTRY(privileges), PERDURE_ENTRY(temporary),
    PERDURE_ENTRY(leave_files),   PERDURE_ENTRY(close_directory), PERDURE_ENTRY(tries),      PERDURE_ENTRY(tries_ring),
    PERDURE_ENTRY(tries_foreign), PERDURE_ENTRY(calls_foreign),
};

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
#ifdef PERDURE_LOAD_STARTS_A_THREAD
  static std::thread idle([] {
    for (;;) pause();
  });
#endif
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("confined");
  plugin.version = PERDURE_STR("1");
  if (const perdure_status s = host->plugin(host, &plugin)) return s;
  for (const Entry& entry : kTasks) {
    perdure_task task{};
    task.struct_size = sizeof task;
    task.id = {entry.id, strlen(entry.id)};
    task.run = entry.run;
    if (const perdure_status s = host->task(host, &task)) return s;
  }
  return PERDURE_OK;
}
