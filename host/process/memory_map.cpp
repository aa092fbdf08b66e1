#include "host/process/memory_map.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

namespace perdure::process {
namespace {

const auto kPage = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
constexpr std::uint64_t kPresent = std::uint64_t{1} << 63, kSwapped = std::uint64_t{1} << 62,
                        kOfFile = std::uint64_t{1} << 61;

// Shared memory without a file that somebody else could read it from.
bool is_memory(const Mapping& mapping) { return mapping.path.ends_with(" (deleted)"); }

bool is_kernels(const Mapping& mapping) {
  return mapping.path.starts_with("[vvar") || mapping.path == "[vsyscall]" || mapping.path == "[uprobes]";
}

}  // namespace

std::vector<Mapping> mappings_of(pid_t pid) {
  std::vector<Mapping> all;
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping each;
    std::array<char, 5> flags{};
    int path = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %*s %*s %n", &each.start, &each.end, flags.data(), &each.offset,
                    &path) < 4) {
      continue;
    }
    each.readable = flags[0] == 'r';
    each.writable = flags[1] == 'w';
    each.executable = flags[2] == 'x';
    each.shared = flags[3] == 's';
    if (path > 0 && static_cast<std::size_t>(path) < line.size())
      each.path = line.substr(static_cast<std::size_t>(path));
    all.push_back(std::move(each));
  }
  return all;
}

std::vector<PageRun> own_pages(const Mapping& mapping, int pagemap) {
  std::vector<PageRun> runs;
  if (!mapping.readable || is_kernels(mapping) || (mapping.shared && !is_memory(mapping))) return runs;
  const bool file = mapping.of_file() && !mapping.shared;
  std::array<std::uint64_t, 8192> entries{};
  for (std::uint64_t at = mapping.start; at < mapping.end;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(entries.size(), (mapping.end - at) / kPage);
    const ssize_t got = pread(pagemap, entries.data(), wanted * sizeof(std::uint64_t),
                              static_cast<off_t>(at / kPage * sizeof(std::uint64_t)));
    if (got <= 0) break;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(got) / sizeof(std::uint64_t); i++, at += kPage) {
      const bool there = (entries[i] & (kPresent | kSwapped)) != 0;
      if (!there || (file && (entries[i] & kOfFile) != 0)) continue;
      if (file) return {{mapping.start, mapping.end}};
      if (!runs.empty() && runs.back().end == at) {
        runs.back().end += kPage;
      } else {
        runs.push_back({at, at + kPage});
      }
    }
  }
  return runs;
}

}  // namespace perdure::process
