// The layout of a core file: elf(5), and linux/elfcore.h for the notes.
#include "host/process/core_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "host/os/unique_fd.h"
#include "host/process/memory_map.h"
#include "host/process/stopped_process.h"

namespace perdure::process {
namespace {

using std::chrono::steady_clock;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "core_file.cpp knows the registers of x86-64 and AArch64"
#endif

constexpr std::chrono::milliseconds kPatience{2000};            // for all threads to stop
constexpr std::uint64_t kMostMapped = std::uint64_t{64} << 30;  // a larger mapping is a reservation
constexpr std::size_t kMostSegments = 60'000;
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
constexpr std::uint64_t kAlignment = 4096;

std::uint64_t aligned(std::uint64_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

std::string in_proc(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

pid_t parent_of(pid_t pid) {
  const std::string status = text_of(in_proc(pid, "status"));
  const std::size_t at = status.find("\nPPid:");
  return at == std::string::npos ? 0 : static_cast<pid_t>(std::strtol(status.c_str() + at + 6, nullptr, 10));
}

void add_note(std::string& notes, Elf64_Word type, const void* data, std::size_t size) {
  const Elf64_Nhdr header{sizeof "CORE", static_cast<Elf64_Word>(size), type};
  notes.append(reinterpret_cast<const char*>(&header), sizeof header);
  notes.append("CORE\0\0\0", 8);
  notes.append(static_cast<const char*>(data), size);
  notes.resize((notes.size() + 3) / 4 * 4);
}

void add_process(std::string& notes, pid_t pid) {
  elf_prpsinfo process{};
  process.pr_sname = 'R';
  process.pr_pid = pid;
  const std::string name = text_of(in_proc(pid, "comm"));
  std::string words = text_of(in_proc(pid, "cmdline"));
  std::ranges::replace(words, '\0', ' ');
  (void)name.copy(process.pr_fname, std::min(sizeof process.pr_fname - 1, name.find('\n')));
  (void)words.copy(process.pr_psargs, sizeof process.pr_psargs - 1);
  add_note(notes, NT_PRPSINFO, &process, sizeof process);
  const std::string auxiliary = text_of(in_proc(pid, "auxv"));
  add_note(notes, NT_AUXV, auxiliary.data(), auxiliary.size());
}

// Where the files are that a debugger reads the rest from.
void add_files(std::string& notes, const std::vector<Mapping>& mappings) {
  std::vector<std::uint64_t> numbers{0, kAlignment};
  std::string names;
  for (const Mapping& each : mappings) {
    if (!each.of_file()) continue;
    numbers[0]++;
    numbers.insert(numbers.end(), {each.start, each.end, each.offset / kAlignment});
    names.append(each.path).push_back('\0');
  }
  std::string data(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::uint64_t));
  data += names;
  add_note(notes, NT_FILE, data.data(), data.size());
}

// Its registers; the stack pointer tells which mapping is its stack.
void add_thread(std::string& notes, pid_t tid, int signal) {
  elf_prstatus status{};
  status.pr_pid = tid;
  status.pr_cursig = static_cast<short>(signal);
  status.pr_info.si_signo = signal;
  iovec general{&status.pr_reg, sizeof status.pr_reg};
  (void)ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &general);
  add_note(notes, NT_PRSTATUS, &status, sizeof status);
  elf_fpregset_t floating{};
  iovec rest{&floating, sizeof floating};
  if (ptrace(PTRACE_GETREGSET, tid, NT_PRFPREG, &rest) == 0) add_note(notes, NT_PRFPREG, &floating, rest.iov_len);
}

bool write_all(int fd, const void* data, std::size_t size, std::uint64_t at) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t wrote = pwrite(fd, from, size, static_cast<off_t>(at));
    if (wrote <= 0) return false;
    from += wrote;
    at += static_cast<std::uint64_t>(wrote);
    size -= static_cast<std::size_t>(wrote);
  }
  return true;
}

struct Segment {
  Elf64_Phdr header{};
  std::vector<PageRun> runs;
  bool reserved = false;  // too large to be kept
};

Segment segment_of(const Mapping& mapping, int pagemap) {
  Segment segment;
  segment.header.p_type = PT_LOAD;
  segment.header.p_flags = static_cast<Elf64_Word>((mapping.readable ? PF_R : 0) | (mapping.writable ? PF_W : 0) |
                                                   (mapping.executable ? PF_X : 0));
  segment.header.p_vaddr = mapping.start;
  segment.header.p_memsz = mapping.size();
  segment.header.p_align = kAlignment;
  segment.reserved = mapping.size() > kMostMapped;
  if (segment.reserved) return segment;
  segment.runs = own_pages(mapping, pagemap);
  // The first page of a program or library names it.
  if (segment.runs.empty() && mapping.of_file() && mapping.offset == 0 && mapping.readable && !mapping.shared) {
    segment.runs = {{mapping.start, std::min(mapping.end, mapping.start + kAlignment)}};
  }
  if (!segment.runs.empty()) segment.header.p_filesz = segment.runs.back().end - mapping.start;
  return segment;
}

// Copies pages until there is no more room or time; what a segment has not got by then is not in the file.
class Copying {
 public:
  Copying(int memory, int fd, std::uint64_t room, steady_clock::time_point deadline)
      : memory_(memory), fd_(fd), room_(room), deadline_(deadline), piece_(kPiece, '\0') {}

  /// False: errno says why the file cannot be written.
  bool copy(Segment& segment) {
    for (const PageRun& run : segment.runs) {
      for (std::uint64_t at = run.start; at < run.end;) {
        const std::uint64_t size = std::min(run.end - at, kPiece);
        if (written.bytes + size > room_ || steady_clock::now() > deadline_) {
          written.complete = false;
          segment.header.p_filesz = at - segment.header.p_vaddr;
          return true;
        }
        const ssize_t got = pread(memory_, piece_.data(), size, static_cast<off_t>(at));
        const std::uint64_t have = got > 0 ? static_cast<std::uint64_t>(got) : 0;
        if (!write_all(fd_, piece_.data(), have, segment.header.p_offset + at - segment.header.p_vaddr)) return false;
        written.bytes += have;
        at += size;
      }
    }
    return true;
  }

  CoreWritten written;

 private:
  const int memory_, fd_;
  const std::uint64_t room_;
  const steady_clock::time_point deadline_;
  std::string piece_;
};

}  // namespace

std::optional<CoreWritten> write_core(pid_t pid, pid_t tid, const CoreWanted& wanted, int fd,
                                      steady_clock::time_point deadline, std::string& why) {
  StoppedProcess stopped;
  if (!stopped.stop(pid, parent_of(pid), kPatience, why)) return std::nullopt;
  const os::UniqueFd memory(open(in_proc(pid, "mem").c_str(), O_RDONLY | O_CLOEXEC));
  const os::UniqueFd pagemap(open(in_proc(pid, "pagemap").c_str(), O_RDONLY | O_CLOEXEC));
  const std::vector<Mapping> mappings = mappings_of(pid);
  if (!memory || !pagemap || mappings.empty()) {
    why = std::string("the memory of the process cannot be read: ") + strerror(errno);
    return std::nullopt;
  }
  std::string notes;
  add_thread(notes, tid, wanted.signal);
  add_process(notes, pid);
  add_files(notes, mappings);
  for (const pid_t other : stopped.threads()) {
    if (other != tid) add_thread(notes, other, 0);
  }

  std::vector<Segment> segments;
  for (std::size_t i = 0; i < std::min(mappings.size(), kMostSegments); i++) {
    segments.push_back(segment_of(mappings[i], pagemap.get()));
  }
  const std::uint64_t head = sizeof(Elf64_Ehdr) + (segments.size() + 1) * sizeof(Elf64_Phdr);
  std::uint64_t at = aligned(head + notes.size());
  for (Segment& segment : segments) {
    segment.header.p_offset = at;
    at = aligned(at + segment.header.p_filesz);
  }
  // Small ones first: stacks and static data say the most.
  std::vector<Segment*> order;
  for (Segment& segment : segments) order.push_back(&segment);
  std::ranges::stable_sort(order, {}, [](const Segment* each) { return each->header.p_filesz; });
  Copying copying(memory.get(), fd, wanted.size, deadline);
  if (mappings.size() > kMostSegments) copying.written.complete = false;
  bool good = true;
  for (Segment* segment : order) {
    if (segment->reserved) copying.written.complete = false;
    good = good && copying.copy(*segment);
  }

  Elf64_Ehdr file{};
  std::copy_n(ELFMAG, SELFMAG, file.e_ident);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_CORE;
  file.e_machine = kMachine;
  file.e_version = EV_CURRENT;
  file.e_phoff = sizeof file;
  file.e_ehsize = sizeof file;
  file.e_phentsize = sizeof(Elf64_Phdr);
  file.e_phnum = static_cast<Elf64_Half>(segments.size() + 1);
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = head;
  note.p_filesz = notes.size();
  note.p_align = 4;
  std::string start(reinterpret_cast<const char*>(&file), sizeof file);
  start.append(reinterpret_cast<const char*>(&note), sizeof note);
  for (const Segment& segment : segments) {
    start.append(reinterpret_cast<const char*>(&segment.header), sizeof segment.header);
  }
  start += notes;
  good = good && write_all(fd, start.data(), start.size(), 0) && ftruncate(fd, static_cast<off_t>(at)) == 0;
  if (good) return copying.written;
  why = std::string("the core file cannot be written: ") + strerror(errno);
  return std::nullopt;
}

}  // namespace perdure::process
