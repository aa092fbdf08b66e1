#include "store/model/tags.h"

#include <algorithm>

namespace perdure::store {

Result<std::vector<std::string>> tags_to_add(const std::vector<std::string>& has,
                                             const std::vector<std::string>& wanted) {
  std::vector<std::string> added;
  for (const std::string& tag : wanted) {
    const auto characters = std::ranges::count_if(tag, [](char c) { return (c & 0xC0) != 0x80; });
    if (tag.empty() || static_cast<std::size_t>(characters) > kLongestTag) {
      return Status::invalid("a tag has 1 to " + std::to_string(kLongestTag) + " characters, not " +
                             std::to_string(characters));
    }
    const auto is_there = [&tag](const std::vector<std::string>& tags) {
      return std::ranges::find(tags, tag) != tags.end();
    };
    if (!is_there(has) && !is_there(added)) added.push_back(tag);
  }
  if (!added.empty() && has.size() + added.size() > kMostTags) {
    return Status::invalid("a run has at most " + std::to_string(kMostTags) + " tags; this would make " +
                           std::to_string(has.size() + added.size()));
  }
  return added;
}

}  // namespace perdure::store
