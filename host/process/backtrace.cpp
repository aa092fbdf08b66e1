#include "host/process/backtrace.h"

#include <cxxabi.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace perdure::process {
namespace {

constexpr std::size_t kMaxFrames = 64;      // told; a recursion repeats itself
constexpr std::size_t kMaxDepth = 100'000;  // walked
constexpr std::size_t kMaxThreads = 16;
constexpr std::size_t kOtherFrames = 8;
constexpr std::size_t kMaxName = 512;

struct Address {
  Dwarf_Addr pc;
  bool activation;  // pc is an instruction, not the one after a call
};

struct EndDwfl {
  void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
};

std::string demangled(const char* name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string result = status == 0 && text != nullptr ? text : name;
  free(text);
  if (result.size() > kMaxName) result.replace(kMaxName, std::string::npos, "...");
  return result;
}

struct Walk {
  std::vector<Address> addresses;  // the first and, of a deep stack, only those
  std::size_t depth = 0;
  std::size_t limit = kMaxFrames * 2;  // the handler's own are among them
};

int on_frame(Dwfl_Frame* frame, void* raw) {
  auto& walk = *static_cast<Walk*>(raw);
  Dwarf_Addr pc = 0;
  bool activation = false;
  if (!dwfl_frame_pc(frame, &pc, &activation)) return DWARF_CB_ABORT;
  if (walk.addresses.size() < walk.limit) walk.addresses.push_back({pc, activation});
  return ++walk.depth < kMaxDepth ? DWARF_CB_OK : DWARF_CB_ABORT;
}

Frame describe(Dwfl* dwfl, const Address& address) {
  Frame frame;
  const Dwarf_Addr at = address.activation ? address.pc : address.pc - 1;
  Dwfl_Module* module = dwfl_addrmodule(dwfl, at);
  if (module == nullptr) {
    frame.offset = address.pc;
    return frame;
  }
  Dwarf_Addr start = 0;
  if (const char* name = dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr)) {
    frame.module = name;
  }
  frame.offset = address.pc - start;
  GElf_Off offset = 0;
  GElf_Sym symbol{};
  if (const char* name = dwfl_module_addrinfo(module, at, &offset, &symbol, nullptr, nullptr, nullptr)) {
    frame.function = demangled(name);
  }
  if (Dwfl_Line* line = dwfl_module_getsrc(module, at)) {
    if (const char* file = dwfl_lineinfo(line, nullptr, &frame.line, nullptr, nullptr, nullptr)) frame.file = file;
  }
  return frame;
}

// How many of the innermost frames are the signal handler's. libdwfl marks as activations the innermost frame, the
// trampoline through which the kernel entered the handler, and the frame that the signal interrupted.
std::size_t handler_frames(const std::vector<Address>& addresses) {
  for (std::size_t i = 1; i + 1 < addresses.size(); i++) {
    if (addresses[i].activation && addresses[i + 1].activation) return i + 1;
  }
  return 0;
}

std::vector<Frame> describe_all(Dwfl* dwfl, const std::vector<Address>& addresses, std::size_t from,
                                std::size_t limit) {
  std::vector<Frame> frames;
  for (std::size_t i = from; i < addresses.size() && frames.size() < limit; i++) {
    frames.push_back(describe(dwfl, addresses[i]));
  }
  return frames;
}

int on_thread(Dwfl_Thread* thread, void* raw) {
  auto& tids = *static_cast<std::vector<pid_t>*>(raw);
  tids.push_back(dwfl_thread_tid(thread));
  return tids.size() < kMaxThreads ? DWARF_CB_OK : DWARF_CB_ABORT;
}

std::string name_of_file(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void append_frames(std::string& text, const std::vector<Frame>& frames) {
  for (std::size_t i = 0; i < frames.size(); i++) {
    const Frame& frame = frames[i];
    text += '#' + std::to_string(i) + ' ' + (frame.function.empty() ? "??" : frame.function);
    if (!frame.file.empty()) {
      text += " at " + name_of_file(frame.file) + ':' + std::to_string(frame.line);
    } else {
      char digits[16];
      const auto end = std::to_chars(digits, digits + sizeof digits, frame.offset, 16).ptr;
      text += " in " + (frame.module.empty() ? "no module" : name_of_file(frame.module)) + "+0x";
      text.append(digits, end);
    }
    text += '\n';
  }
}

}  // namespace

std::optional<Backtrace> take_backtrace(pid_t pid, pid_t tid, std::string& why) {
  static char* debuginfo_path = nullptr;
  static const Dwfl_Callbacks callbacks{dwfl_linux_proc_find_elf, dwfl_standard_find_debuginfo, nullptr,
                                        &debuginfo_path};
  const auto failed = [&why](const char* what) {
    const char* reason = dwfl_errmsg(-1);
    why = std::string(what) + ": " + (reason != nullptr ? reason : "unknown error");
    return std::nullopt;
  };
  const std::unique_ptr<Dwfl, EndDwfl> dwfl(dwfl_begin(&callbacks));
  if (!dwfl) return failed("libdwfl cannot be used");
  if (dwfl_linux_proc_report(dwfl.get(), pid) != 0 || dwfl_report_end(dwfl.get(), nullptr, nullptr) != 0) {
    return failed("the process's mappings cannot be read");
  }
  if (dwfl_linux_proc_attach(dwfl.get(), pid, false) != 0) return failed("the process cannot be attached to");

  Walk walk;
  // An error in the middle of a stack, as of a smashed one, leaves what was found until there.
  if (dwfl_getthread_frames(dwfl.get(), tid, on_frame, &walk) != 0 && walk.addresses.empty()) {
    return failed("the thread's stack cannot be read");
  }
  Backtrace backtrace;
  const std::size_t skip = handler_frames(walk.addresses);
  backtrace.frames = describe_all(dwfl.get(), walk.addresses, skip, kMaxFrames);
  backtrace.depth = walk.depth - skip;

  std::vector<pid_t> tids;
  (void)dwfl_getthreads(dwfl.get(), on_thread, &tids);
  for (const pid_t other : tids) {
    if (other == tid) continue;
    Walk brief;
    brief.limit = kOtherFrames;
    (void)dwfl_getthread_frames(dwfl.get(), other, on_frame, &brief);
    backtrace.others.push_back({other, describe_all(dwfl.get(), brief.addresses, 0, kOtherFrames)});
  }
  return backtrace;
}

std::string to_text(const Backtrace& backtrace, pid_t tid) {
  std::string text;
  append_frames(text, backtrace.frames);
  if (backtrace.depth > backtrace.frames.size()) {
    text += "... and " + std::to_string(backtrace.depth - backtrace.frames.size()) +
            " more frames, so this may be an endless recursion\n";
  }
  for (const auto& other : backtrace.others) {
    text += "thread " + std::to_string(other.tid) + " (beside the crashed " + std::to_string(tid) + "):\n";
    append_frames(text, other.frames);
  }
  return text;
}

}  // namespace perdure::process
