#include "host/zygote/arguments.h"

#include <charconv>
#include <string_view>

namespace perdure::zygote {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool read_user(std::string_view text, std::optional<User>& user) {
  const std::size_t colon = text.find(':');
  User named;
  if (colon == std::string_view::npos || !read_number(text.substr(0, colon), named.uid) ||
      !read_number(text.substr(colon + 1), named.gid)) {
    return false;
  }
  user = named;
  return true;
}

}  // namespace

std::optional<Arguments> Arguments::read(int count, char** words) {
  Arguments read;
  bool has_role = false;
  int at = 1;
  const auto next = [&] { return std::string_view(at < count - 1 ? words[at++] : ""); };  // the last is the plugin
  while (at < count - 1) {
    const std::string_view word = next();
    if (word == "--control" || word == "--spawn" || word == "--attempt" || word == "--alone") {
      if (has_role) return std::nullopt;
      has_role = true;
      read.role = word == "--control" ? Role::kZygote
                  : word == "--spawn" ? Role::kSpawner
                  : word == "--alone" ? Role::kAlone
                                      : Role::kAttempt;
      if (read.role == Role::kZygote && !read_number(next(), read.control)) return std::nullopt;
    } else if (word == "--self-test") {
      std::chrono::milliseconds::rep limit = 0;
      if (!read_number(next(), limit)) return std::nullopt;
      read.self_test = std::chrono::milliseconds(limit);
    } else if (word == "--user") {
      if (!read_user(next(), read.user)) return std::nullopt;
    } else if (word == "--temporary") {
      read.temporary = next();
    } else if (word == "--with") {
      read.beside.emplace_back(next());
    } else if (word == "--beats") {
      read.beats = true;
    } else if (word == "--outlives") {
      read.outlives = true;
    } else if (word == "--core-dumps") {
      read.core_dumps = true;
    } else {
      return std::nullopt;
    }
  }
  if (!has_role || at != count - 1) return std::nullopt;
  read.plugin = words[at];
  return read;
}

std::vector<std::string> Arguments::words() const {
  std::vector<std::string> all;
  switch (role) {
    case Role::kZygote:
      all = {"--control", std::to_string(control)};
      break;
    case Role::kSpawner:
      all = {"--spawn"};
      break;
    case Role::kAttempt:
      all = {"--attempt"};
      break;
    case Role::kAlone:
      all = {"--alone"};
      break;
  }
  if (self_test.count() > 0) all.insert(all.end(), {"--self-test", std::to_string(self_test.count())});
  if (user) all.insert(all.end(), {"--user", std::to_string(user->uid) + ':' + std::to_string(user->gid)});
  if (!temporary.empty()) all.insert(all.end(), {"--temporary", temporary});
  if (beats) all.emplace_back("--beats");
  if (outlives) all.emplace_back("--outlives");
  if (core_dumps) all.emplace_back("--core-dumps");
  for (const std::string& other : beside) all.insert(all.end(), {"--with", other});
  all.push_back(plugin);
  return all;
}

}  // namespace perdure::zygote
