#include "host/process/dwfl_frames.h"

#include <cxxabi.h>
#include <stdlib.h>

#include <charconv>

namespace perdure::process {
namespace {

constexpr std::size_t kMaxDepth = 100'000;  // walked
constexpr std::size_t kMaxName = 512;

std::string demangled(const char* name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string result = status == 0 && text != nullptr ? text : name;
  free(text);
  if (result.size() > kMaxName) result.replace(kMaxName, std::string::npos, "...");
  return result;
}

int on_frame(Dwfl_Frame* frame, void* raw) {
  auto& walk = *static_cast<FrameWalk*>(raw);
  Dwarf_Addr pc = 0;
  bool activation = false;
  if (!dwfl_frame_pc(frame, &pc, &activation)) return DWARF_CB_ABORT;
  if (walk.addresses.size() < walk.limit) walk.addresses.push_back({pc, activation});
  return ++walk.depth < kMaxDepth ? DWARF_CB_OK : DWARF_CB_ABORT;
}

Frame describe(Dwfl* dwfl, const FrameAddress& address) {
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

std::string name_of_file(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string dwfl_trouble(const char* what) {
  const char* reason = dwfl_errmsg(-1);
  return std::string(what) + ": " + (reason != nullptr ? reason : "unknown error");
}

DwflPtr open_modules(pid_t pid, std::string& why) {
  static char* debuginfo_path = nullptr;
  static const Dwfl_Callbacks callbacks{dwfl_linux_proc_find_elf, dwfl_standard_find_debuginfo, nullptr,
                                        &debuginfo_path};
  DwflPtr dwfl(dwfl_begin(&callbacks));
  if (!dwfl) {
    why = dwfl_trouble("libdwfl cannot be used");
  } else if (dwfl_linux_proc_report(dwfl.get(), pid) != 0 || dwfl_report_end(dwfl.get(), nullptr, nullptr) != 0) {
    why = dwfl_trouble("the process's mappings cannot be read");
    dwfl.reset();
  }
  return dwfl;
}

bool walk_frames(Dwfl* dwfl, pid_t tid, FrameWalk& walk) {
  return dwfl_getthread_frames(dwfl, tid, on_frame, &walk) == 0 || !walk.addresses.empty();
}

std::vector<Frame> name_frames(Dwfl* dwfl, const std::vector<FrameAddress>& addresses, std::size_t from,
                               std::size_t limit) {
  std::vector<Frame> frames;
  for (std::size_t i = from; i < addresses.size() && frames.size() < limit; i++) {
    frames.push_back(describe(dwfl, addresses[i]));
  }
  return frames;
}

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

}  // namespace perdure::process
