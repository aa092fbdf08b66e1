#include "host/zygote/footprint.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "host/zygote/descendants.h"

namespace perdure::zygote {
namespace {

// The numbers that name the entries of a directory, but not the descriptor of this very look.
std::vector<int> numbered_entries(const char* path) {
  std::vector<int> numbers;
  DIR* directory = opendir(path);
  if (directory == nullptr) return numbers;
  const int self = dirfd(directory);
  while (const dirent* entry = readdir(directory)) {
    char* end = nullptr;
    const long number = strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0') numbers.push_back(static_cast<int>(number));
  }
  closedir(directory);
  if (std::string_view(path).ends_with("/fd")) std::erase(numbers, self);
  return numbers;
}

template <typename Number>
std::vector<Number> added(const std::vector<Number>& before, const std::vector<Number>& after) {
  std::vector<Number> result;
  for (const Number number : after) {
    if (std::ranges::find(before, number) == before.end()) result.push_back(number);
  }
  return result;
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string target_of(int descriptor) {
  char target[256];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(link.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : "something";
}

}  // namespace

Footprint footprint() {
  return {numbered_entries("/proc/self/task"), numbered_entries("/proc/self/fd"), children_of(getpid())};
}

std::string new_since(const Footprint& before, const Footprint& after) {
  std::string words;
  const auto say = [&words](const std::string& what) { words += (words.empty() ? "it " : " and ") + what; };
  if (const auto threads = added(before.threads, after.threads); !threads.empty()) {
    say("started " + counted(threads.size(), "thread") + " while loading");
  }
  if (const auto fds = added(before.descriptors, after.descriptors); !fds.empty()) {
    say("holds " + counted(fds.size(), "descriptor") + " open after loading (" + target_of(fds[0]) + ")");
  }
  if (const auto children = added(before.children, after.children); !children.empty()) {
    say("started " + (children.size() == 1 ? "a process" : std::to_string(children.size()) + " processes") +
        " while loading");
  }
  return words;
}

}  // namespace perdure::zygote
