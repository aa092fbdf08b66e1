#include "host/zygote/environment.h"

#include <stdlib.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

struct Given {
  std::string text;                                                        // the last object
  std::vector<std::pair<std::string, std::optional<std::string>>> before;  // what its names had been
};

// Made when there is something to give: most children never have it.
Given*& given() {
  static Given* place = nullptr;
  return place;
}

void take_back(Given& last) {
  for (const auto& [name, value] : last.before) {
    if (value) {
      setenv(name.c_str(), value->c_str(), 1);
    } else {
      unsetenv(name.c_str());
    }
  }
  last.before.clear();
}

}  // namespace

void give_variables(std::string_view json) {
  if (given() == nullptr && json.empty()) return;
  if (given() == nullptr) given() = new Given;
  Given& last = *given();
  if (last.text == json) return;
  take_back(last);
  last.text = json;
  JsonMembers members(json);
  std::string_view key, value;
  while (members.next(key, value)) {
    std::string name(key);
    const char* const had = getenv(name.c_str());
    last.before.emplace_back(name, had == nullptr ? std::nullopt : std::optional<std::string>(had));
    setenv(name.c_str(), json_unescaped(value).c_str(), 1);
  }
}

}  // namespace perdure::zygote
