// Tasks whose threads wait, each in a function of its own name, and one that goes round in a loop.
#include <errno.h>
#include <perdure/plugin.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#define OWN_FRAME __attribute__((noinline, noclone))

namespace {

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
bool ended = false;  // guarded by mutex
std::atomic<int> waiting{0};

void say(const perdure_attempt* a, const char* text) {
  a->services->log(a, PERDURE_INFO, perdure_str{text, std::char_traits<char>::length(text)}, PERDURE_STR(""));
}

// Until the file that the payload names is there.
OWN_FRAME void await_file(const perdure_attempt* a) {
  const std::string name(a->payload.data + 1, a->payload.len - 2);
  while (access(name.c_str(), F_OK) != 0) usleep(1000);
}

OWN_FRAME void wait_for_condition() {
  pthread_mutex_lock(&mutex);
  waiting++;
  while (!ended) pthread_cond_wait(&changed, &mutex);
  waiting--;
  pthread_mutex_unlock(&mutex);
}
OWN_FRAME void wait_in_poll(int fd) {
  pthread_setname_np(pthread_self(), "bad \xff name");
  pollfd readable{fd, POLLIN, 0};
  waiting++;
  while (poll(&readable, 1, -1) < 0) {
  }
  waiting--;
}

OWN_FRAME perdure_status wait_in_threads(const perdure_attempt* a) {
  int ends[2];
  if (pipe(ends) != 0) return PERDURE_FAILED;
  std::thread first(wait_for_condition), second(wait_in_poll, ends[0]);
  while (waiting < 2) usleep(1000);
  say(a, "started");
  await_file(a);
  pthread_mutex_lock(&mutex);
  ended = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  close(ends[1]);
  first.join();
  second.join();
  const std::string left = std::to_string(waiting.load());
  return a->services->set_result(a, perdure_str{left.data(), left.size()});
}

volatile unsigned long turns;

OWN_FRAME void turn_in_circles() {
  for (;;) turns = turns + 1;
}
perdure_status loop(const perdure_attempt* a) {
  say(a, "started");
  turn_in_circles();
  return PERDURE_OK;
}

OWN_FRAME perdure_status stop_itself(const perdure_attempt* a) {
  say(a, "started");
  raise(SIGSTOP);
  await_file(a);
  return a->services->set_result(a, PERDURE_STR("\"went on\""));
}

}  // namespace

PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* registrar) {
  perdure_plugin plugin = {};
  plugin.struct_size = sizeof plugin;
  plugin.name = PERDURE_STR("stacks");
  plugin.version = PERDURE_STR("1.0.0");
  if (const perdure_status status = registrar->plugin(registrar, &plugin)) return status;
  const auto offer = [registrar](perdure_str id, perdure_task_fn run) {
    perdure_task task = {};
    task.struct_size = sizeof task;
    task.id = id;
    task.run = run;
    return registrar->task(registrar, &task);
  };
  if (const perdure_status status = offer(PERDURE_STR("wait_in_threads"), wait_in_threads)) return status;
  if (const perdure_status status = offer(PERDURE_STR("loop"), loop)) return status;
  return offer(PERDURE_STR("stop_itself"), stop_itself);
}
