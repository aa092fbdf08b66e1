#include "tests/structure/source_tree.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

namespace perdure::structure {
namespace {

namespace fs = std::filesystem;

constexpr std::array kRoots{"plugin-api", "store", "host", "plugins", "tests"};
constexpr std::array kExtensions{".h", ".hpp", ".c", ".cpp", ".rs", ".ts", ".tsx", ".cmake"};
constexpr std::array kForbiddenWords{"utils", "util", "helpers", "helper", "manager", "common", "misc"};

// The arrows of the architecture: which rooms a room may include, besides itself. A room not listed is not one.
// <perdure/...> counts as plugin-api.
const std::map<std::string, std::set<std::string>, std::less<>> kMayInclude{
    {"plugin-api", {}},
    {"store", {"store/model"}},
    {"store/model", {}},
    {"store/memory", {"store", "store/model"}},
    {"store/rocks", {"store", "store/model"}},
    {"store/postgres", {"store", "store/model"}},
    {"host/os", {}},
    {"host/protocol", {"host/os"}},
    {"host/zygote", {"plugin-api", "host/protocol", "host/os"}},
    {"host/process", {"host/protocol", "store/model", "host/os", "host/telemetry", "host/config"}},
    {"host/schema", {"store/model"}},
    {"host/catalog", {"host/process", "host/schema", "store/model", "host/os", "host/telemetry", "host/config"}},
    {"host/engine",
     {"store", "store/model", "host/catalog", "host/process", "host/schema", "host/os", "host/telemetry",
      "host/config"}},
    {"host/api",
     {"host/engine", "host/catalog", "host/schema", "store", "store/model", "host/os", "host/telemetry",
      "host/config"}},
    {"host/config", {"store/model", "host/os"}},
    {"host/telemetry", {"host/os"}},
    {"host/cli", {"host/api", "host/config", "host/telemetry", "host/os", "store/model"}},
};

// A library that only these rooms may know, by the first part of its headers' names.
const std::map<std::string, std::set<std::string>, std::less<>> kLibraryRooms{
    {"rocksdb/", {"store/rocks"}},
    {"boost/beast", {"host/api", "host/cli"}},
    {"elfutils/", {"host/process"}},
    {"CLI/", {"host/cli"}},
    {"zlib.h", {"host/api"}},
};

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// The room a file lies in: its first two folders, or one for files directly in it and for the rooms without inner ones.
std::string room_of(const std::string& path) {
  const auto first = path.find('/');
  if (first == std::string::npos) return {};
  const std::string top = path.substr(0, first);
  if (top != "store" && top != "host") return top;
  const auto second = path.find('/', first + 1);
  return second == std::string::npos ? top : path.substr(0, second);
}

// Where the host, or a part of it, is put together out of everything.
bool assembles(const std::string& path) {
  return starts_with(path, "host/main") || starts_with(path, "host/cli/serve") ||
         starts_with(path, "host/cli/plugins_check") || starts_with(path, "host/cli/backtrace") ||
         starts_with(path, "host/cli/debug") || starts_with(path, "host/cli/dev") ||
         starts_with(path, "host/cli/doctor");
}

bool allowed(const std::string& from_path, const std::string& from, const std::string& to_path) {
  const std::string to = room_of(to_path);
  if (to == from || from == "tests") return true;
  if (assembles(from_path)) return to == "store" || starts_with(to, "store/") || starts_with(to, "host");
  if (starts_with(from, "host/") && to_path == "store/model/status.h") return true;  // how every room says what failed
  const auto rule = kMayInclude.find(from);
  return rule != kMayInclude.end() && rule->second.contains(to);
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> found;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const auto skip = [&line] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
    skip();
    if (!starts_with(line, "#")) continue;
    line.remove_prefix(1);
    skip();
    if (!starts_with(line, "include")) continue;
    line.remove_prefix(7);
    skip();
    if (line.empty() || (line[0] != '"' && line[0] != '<')) continue;
    const bool angled = line[0] == '<';
    const auto close = line.find(angled ? '>' : '"', 1);
    if (close == std::string_view::npos) continue;
    found.push_back({number, std::string(line.substr(1, close - 1)), angled});
  }
  return found;
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (const char* top : kRoots) {
    if (!fs::is_directory(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || std::ranges::find(kExtensions, extension) == kExtensions.end()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      SourceFile file{entry.path().lexically_relative(root).generic_string(),
                      static_cast<std::size_t>(std::ranges::count(text, '\n')),
                      {}};
      if (extension == ".h" || extension == ".hpp" || extension == ".c" || extension == ".cpp") {
        file.includes = includes_of(text);
      }
      files.push_back(std::move(file));
    }
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

std::vector<std::string> violations(const SourceFile& file, bool (*exists)(const std::string& path)) {
  std::vector<std::string> found;
  const std::string from = room_of(file.path);
  const auto say = [&](const Include& include, const std::string& why) {
    found.push_back(file.path + ":" + std::to_string(include.line) + ": \"" + include.target + "\": " + why);
  };
  if (from != "plugins" && from != "tests" && !assembles(file.path) && !kMayInclude.contains(from)) {
    found.push_back(file.path + ": " + from + " is no room of the architecture; name it there and in this test");
  }
  for (const Include& include : file.includes) {
    if (include.angled) {
      for (const auto& [library, rooms] : kLibraryRooms) {
        if (starts_with(include.target, library) && from != "tests" && !assembles(file.path) && !rooms.contains(from)) {
          say(include, "this library is for " + *rooms.begin() + " only");
        }
      }
      if (starts_with(include.target, "perdure/") && from != "plugins" &&
          !allowed(file.path, from, "plugin-api/include/" + include.target)) {
        say(include, from + " may not include plugin-api");
      }
      continue;
    }
    // Beside the including file: fine for plugins, tests and the public headers, which live outside the root's reach.
    const std::string beside = (fs::path(file.path).parent_path() / include.target).lexically_normal().generic_string();
    if (from == "plugins" || from == "plugin-api") {
      if (room_of(beside) != from || !exists(beside))
        say(include, from + " may include only its own files and <perdure/...>");
      continue;
    }
    if (from == "tests" && exists(beside)) continue;
    if (!exists(include.target)) {
      if (from != "tests") say(include, "no such file; includes are written from the repository's root");
      continue;
    }
    if (!allowed(file.path, from, include.target)) say(include, from + " may not include " + room_of(include.target));
  }
  return found;
}

std::string name_violation(const std::string& path) {
  const std::string stem = fs::path(path).stem().string();
  std::string word;
  for (std::size_t i = 0; i <= stem.size(); ++i) {
    if (i < stem.size() && stem[i] != '_' && stem[i] != '-' && stem[i] != '.') {
      word += stem[i];
      continue;
    }
    if (std::ranges::find(kForbiddenWords, word) != kForbiddenWords.end()) {
      return path + ": \"" + word + "\" does not say what is inside";
    }
    word.clear();
  }
  return {};
}

}  // namespace perdure::structure
