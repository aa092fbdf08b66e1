#include "host/zygote/inspect.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/library_info.hpp>
#include <cstring>
#include <exception>

#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

#if defined(__x86_64__)
constexpr int kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number here"
#endif
constexpr unsigned kPatienceSeconds = 10;
constexpr std::string_view kEntry = "perdure_register_v";
constexpr std::string_view kOurEntry = "perdure_register_v1";

std::string machine_name(int machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "x86 (32 bit)";
    case EM_ARM:
      return "arm (32 bit)";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine " + std::to_string(machine);
  }
}

Refusal cut_off(std::uint64_t has, std::uint64_t needs) {
  return {"the file is truncated: it has " + std::to_string(has) + " bytes and its header speaks of " +
              std::to_string(needs) + "; copy it again",
          {}};
}

std::uint64_t saturated(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

// What the file's first bytes and its own table of contents say.
std::optional<Refusal> check_header(int fd, std::uint64_t size) {
  static constexpr char kNotElf[] = "not an ELF shared object";
  Elf64_Ehdr header{};
  const ssize_t got = pread(fd, &header, sizeof header, 0);
  if (got < 0) return Refusal{"the file cannot be read: " + std::string(strerror(errno)), {}};
  if (got == 0) return Refusal{std::string(kNotElf) + ": the file is empty", {}};
  const auto length = std::min<std::size_t>(static_cast<std::size_t>(got), SELFMAG);
  if (std::memcmp(header.e_ident, ELFMAG, length) != 0) {
    return Refusal{std::string(kNotElf) + ": the file does not start with the ELF mark", {}};
  }
  if (static_cast<std::size_t>(got) < sizeof header) return cut_off(size, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != kMachine) {
    return Refusal{
        "built for another machine: " + machine_name(header.e_machine) + ", and this host is " + machine_name(kMachine),
        {}};
  }
  if (header.e_type != ET_DYN) {
    return Refusal{std::string(kNotElf) + (header.e_type == ET_REL    ? ": it is an object file; link it with -shared"
                                           : header.e_type == ET_EXEC ? ": it is an executable; link it with -shared"
                                                                      : ": it is an ELF file of another type"),
                   {}};
  }
  const std::uint64_t sections = saturated(header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize);
  const std::uint64_t segments = saturated(header.e_phoff, std::uint64_t{header.e_phnum} * header.e_phentsize);
  std::uint64_t needs = std::max(sections, segments);
  for (unsigned i = 0; i < header.e_phnum && segments <= size; i++) {
    Elf64_Phdr segment{};
    const auto at = static_cast<off_t>(header.e_phoff + std::uint64_t{i} * header.e_phentsize);
    if (pread(fd, &segment, sizeof segment, at) != sizeof segment) break;
    needs = std::max<std::uint64_t>(needs, saturated(segment.p_offset, segment.p_filesz));
  }
  if (needs > size) return cut_off(size, needs);
  return std::nullopt;
}

// Which entry points the file exports; what is wrong with that, or nothing. Runs in the child; throws what library_info
// does.
std::string check_symbols(const std::string& path) {
  boost::dll::library_info info(path);
  std::string others;
  for (const std::string& symbol : info.symbols()) {
    if (symbol == kOurEntry) return {};
    if (symbol.compare(0, kEntry.size(), kEntry) == 0) others += (others.empty() ? "" : ", ") + symbol;
  }
  if (others.empty()) {
    return "it exports no " + std::string(kOurEntry) + ", so it is not a Perdure plugin, or its entry point is hidden";
  }
  return "built for another version of the plugin interface: it exports " + others + ", and this host calls " +
         std::string(kOurEntry);
}

[[noreturn]] void symbols_child(const std::string& path, int out, [[maybe_unused]] std::uint64_t size) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) ::signal(signal, SIG_DFL);
  alarm(kPatienceSeconds);
#if !defined(PERDURE_SANITIZE_ADDRESS_UNDEFINED) && !defined(PERDURE_SANITIZE_THREAD)  // they reserve terabytes
  const rlimit memory{(rlim_t{1} << 30) + 8 * size, (rlim_t{1} << 30) + 8 * size};
  setrlimit(RLIMIT_AS, &memory);
#endif
  std::string verdict;
  try {
    verdict = check_symbols(path);
  } catch (const std::exception& e) {
    verdict = std::string("the file is damaged: its symbol table cannot be read (") + e.what() + ")";
  }
  verdict.insert(verdict.begin(), '+');  // so that no word at all is told from no objection
  const bool told = write(out, verdict.data(), verdict.size()) == static_cast<ssize_t>(verdict.size());
  _exit(told ? 0 : 1);
}

std::string read_all(int fd) {
  std::string text;
  char chunk[512];
  for (;;) {
    const ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(chunk, static_cast<std::size_t>(n));
  }
}

std::optional<Refusal> check_symbols_in_child(const std::string& path, std::uint64_t size) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Refusal{"no pipe for the inspection: " + std::string(strerror(errno)), {}};
  const pid_t child = fork();
  if (child == 0) symbols_child(path, ends[1], size);
  close(ends[1]);
  const std::string verdict = child > 0 ? read_all(ends[0]) : std::string();
  close(ends[0]);
  if (child < 0) return Refusal{"no process for the inspection: " + std::string(strerror(errno)), {}};
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (verdict.empty()) return Refusal{"the file is damaged: reading its symbol table ends the reader", {}};
  if (verdict.size() > 1) return Refusal{verdict.substr(1), {}};
  return std::nullopt;
}

}  // namespace

std::string refusal_json(const Refusal& refusal) {
  std::string json = "{\"reason\":";
  append_json_string(json, refusal.reason);
  if (!refusal.details.empty()) {
    json += ",\"details\":";
    append_json_string(json, refusal.details);
  }
  json += '}';
  return json;
}

std::optional<Refusal> inspect(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Refusal{"the file cannot be opened: " + std::string(strerror(errno)), {}};
  struct stat file {};
  std::optional<Refusal> refusal;
  if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) {
    refusal = Refusal{"not an ELF shared object: it is no regular file", {}};
  } else {
    refusal = check_header(fd, static_cast<std::uint64_t>(file.st_size));
  }
  close(fd);
  if (refusal) return refusal;
  return check_symbols_in_child(path, static_cast<std::uint64_t>(file.st_size));
}

}  // namespace perdure::zygote
