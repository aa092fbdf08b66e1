#include "store/model/metadata_document.h"

#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "store/model/json_members.h"

namespace perdure::store {
namespace {

std::string quoted(const std::string& name) {
  return boost::json::serialize(boost::json::string_view(name.data(), name.size()));
}

std::optional<std::size_t> position(const std::string& name, std::size_t size) {
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_one = failed == std::errc() && end == name.data() + name.size() && number < size;
  return is_one ? std::optional(number) : std::nullopt;
}

}  // namespace

MetadataDocument::MetadataDocument(std::string_view object) {
  const std::optional<std::vector<JsonMember>> members = json_members(object);
  if (!members) return;
  for (const JsonMember& member : *members) put(member.name, std::string(member.value));
}

Status MetadataDocument::change(const std::vector<MetadataOperation>& operations) {
  const auto too_large = [](std::size_t size) {
    return Status::invalid("the metadata would have " + std::to_string(size) + " bytes; at most " +
                           std::to_string(kMostMetadata) + " are kept: remove something, or use a stream");
  };
  // One operation, by far the most frequent case, costs what it changes.
  if (operations.size() == 1 && operations[0].change != MetadataChange::kReplace) {
    const MetadataOperation& operation = operations[0];
    const std::vector<std::string> path = metadata_path(operation.key);
    const bool appends = operation.change == MetadataChange::kAppend && path.size() == 1;
    if (appends && size() + operation.value.size() + 1 <= kMostMetadata &&
        append_in_place(path[0], trimmed(operation.value))) {
      return Status::ok();
    }
    std::optional<std::string> before;
    if (!path.empty() && by_name_.contains(path[0])) before = by_name_.at(path[0])->value;
    if (Status done = change_one(operation); !done) return done;
    const std::size_t now = size();
    if (now <= kMostMetadata) return Status::ok();
    put(path[0], std::move(before));
    return too_large(now);
  }
  MetadataDocument changed(*this);
  for (const MetadataOperation& operation : operations) {
    if (Status done = changed.change_one(operation); !done) return done;
  }
  if (changed.size() > kMostMetadata) return too_large(changed.size());
  *this = std::move(changed);
  return Status::ok();
}

void MetadataDocument::repeat(const std::vector<MetadataOperation>& operations) {
  for (const MetadataOperation& operation : operations) (void)change_one(operation);
}

Status MetadataDocument::change_one(const MetadataOperation& operation) {
  if (operation.change == MetadataChange::kReplace) {
    *this = MetadataDocument(trimmed(operation.value));
    return Status::ok();
  }
  const std::vector<std::string> path = metadata_path(operation.key);
  if (path.empty()) return Status::invalid("the metadata path \"" + operation.key + "\" has an empty name");
  if (operation.change == MetadataChange::kAppend && path.size() == 1 &&
      append_in_place(path[0], trimmed(operation.value))) {
    return Status::ok();
  }
  return change_at(path, operation);
}

Status MetadataDocument::change_at(std::span<const std::string> path, const MetadataOperation& operation) {
  const auto found = by_name_.find(path[0]);
  std::optional<std::string_view> value;
  if (found != by_name_.end()) value = found->second->value;
  Result<std::optional<std::string>> changed =
      path.size() == 1 ? changed_value(value, operation) : changed_within(value, path.subspan(1), operation);
  if (!changed) return changed.status();
  put(path[0], std::move(*changed));
  return Status::ok();
}

Result<std::optional<std::string>> MetadataDocument::changed_within(std::optional<std::string_view> value,
                                                                    std::span<const std::string> path,
                                                                    const MetadataOperation& operation) {
  const bool takes_away = operation.change == MetadataChange::kDelete || operation.change == MetadataChange::kRemove;
  if (!value && takes_away) return std::optional<std::string>();
  if (!value || value->starts_with('{')) {
    MetadataDocument inner(value.value_or("{}"));
    if (Status changed = inner.change_at(path, operation); !changed) return changed;
    return std::optional(inner.text());
  }
  const std::optional<std::vector<std::string_view>> elements = json_elements(*value);
  const std::optional<std::size_t> at = elements ? position(path[0], elements->size()) : std::nullopt;
  if (!at) {
    return Status::invalid("the metadata path \"" + operation.key + "\" leads nowhere: there is no \"" + path[0] +
                           "\" in " + std::string(value->substr(0, 60)));
  }
  const std::string_view element = (*elements)[*at];
  Result<std::optional<std::string>> changed =
      path.size() == 1 ? changed_value(element, operation) : changed_within(element, path.subspan(1), operation);
  if (!changed) return changed.status();
  std::string array = "[";
  for (std::size_t i = 0; i < elements->size(); ++i) {
    if (i == *at && !*changed) continue;
    if (array.size() > 1) array += ',';
    array += i == *at ? std::string_view(**changed) : (*elements)[i];
  }
  return std::optional(array + ']');
}

// What changed_value() does, without copying the array. False when there is none.
bool MetadataDocument::append_in_place(const std::string& name, std::string_view value) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || !found->second->value.starts_with('[')) return false;
  std::string& array = found->second->value;
  const std::size_t before = array.size();
  array.pop_back();
  const bool was_empty = array.find_last_not_of(" \t\n\r") == 0;
  if (!was_empty) array += ',';
  array.append(value).push_back(']');
  bytes_ += array.size() - before;
  return true;
}

void MetadataDocument::put(const std::string& name, std::optional<std::string> value) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    Entry& entry = *found->second;
    bytes_ -= entry.value.size();
    if (value) {
      entry.value = std::move(*value);
      bytes_ += entry.value.size();
      return;
    }
    bytes_ -= entry.quoted.size() + 1;
    const auto gone = found->second;
    by_name_.erase(found);
    entries_.erase(gone);
  } else if (value) {
    entries_.push_back({name, quoted(name), std::move(*value)});
    const auto added = std::prev(entries_.end());
    by_name_.emplace(added->name, added);
    bytes_ += added->quoted.size() + 1 + added->value.size();
  }
}

std::string MetadataDocument::text() const {
  std::string out;
  out.reserve(size());
  out += '{';
  for (const Entry& entry : entries_) {
    if (out.size() > 1) out += ',';
    out.append(entry.quoted).append(":").append(entry.value);
  }
  return out + '}';
}

}  // namespace perdure::store
