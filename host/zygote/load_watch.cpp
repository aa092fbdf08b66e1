#include "host/zygote/load_watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/protocol/frame.h"

namespace perdure::zygote {
namespace {

// Read by a signal handler on the same thread; the process is single-threaded unless the plugin makes it otherwise.
struct Watch {
  volatile int control = -1;
  const char* volatile phase = "";
  volatile pid_t pid = 0;
};
Watch watch;

// A text of bounded length built without the allocator.
class Text {
 public:
  void add(const char* text) {
    while (*text != '\0' && size_ < sizeof text_) text_[size_++] = *text++;
  }
  void add(int number) {
    char digits[16];
    int count = 0;
    unsigned rest = number < 0 ? 0U - static_cast<unsigned>(number) : static_cast<unsigned>(number);
    do digits[count++] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (number < 0) add("-");
    while (count > 0 && size_ < sizeof text_) text_[size_++] = digits[--count];
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[256];
  std::size_t size_ = 0;
};

bool watching() { return watch.control >= 0 && getpid() == watch.pid; }

void refuse(const Text& json) {
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kRefused;
  frame.json = json.view();
  (void)protocol::send(watch.control, frame, true);
  watch.control = -1;
}

void on_exit_called(int code, void*) {
  if (!watching()) return;
  Text json;
  json.add("{\"reason\":\"the plugin called exit(");
  json.add(code);
  json.add(") ");
  json.add(watch.phase);
  json.add("\"}");
  refuse(json);
}

}  // namespace

void begin_load_watch(int control, const char* phase) {
  static bool registered = false;
  if (!registered) registered = on_exit(on_exit_called, nullptr) == 0;
  watch.phase = phase;
  watch.pid = getpid();
  watch.control = control;
}

void set_load_phase(const char* phase) { watch.phase = phase; }

void end_load_watch() { watch.control = -1; }

void report_load_crash(int signal) {
  if (!watching()) return;
  Text json;
  json.add("{\"reason\":\"the plugin crashed ");
  json.add(watch.phase);
  const char* name = sigabbrev_np(signal);
  json.add(": SIG");
  json.add(name != nullptr ? name : "?");
  json.add("\"}");
  refuse(json);
}

}  // namespace perdure::zygote
