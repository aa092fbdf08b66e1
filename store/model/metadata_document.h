// The metadata of one run, made for many small changes: its entries keep their order and their text as it came, a
// change costs what it changes, and the size is always known. A value; one thread.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/model/metadata.h"
#include "store/model/status.h"

namespace perdure::store {

class MetadataDocument {
 public:
  /// No entries.
  MetadataDocument() = default;
  /// From the text of a JSON object that check_json() has accepted. Of a name that comes twice the last one counts.
  explicit MetadataDocument(std::string_view object);
  MetadataDocument(const MetadataDocument& other) : MetadataDocument(std::string_view(other.text())) {}
  MetadataDocument(MetadataDocument&&) = default;
  MetadataDocument& operator=(const MetadataDocument&) = delete;
  MetadataDocument& operator=(MetadataDocument&&) = default;
  ~MetadataDocument() = default;

  /// Does the operations in order, all or none. kInvalid: one does not fit what is there, or more than kMostMetadata
  /// bytes would be.
  Status change(const std::vector<MetadataOperation>& operations);
  /// Does operations again that change() has accepted of the same document.
  void repeat(const std::vector<MetadataOperation>& operations);

  [[nodiscard]] std::string text() const;
  /// Of text(), in bytes.
  [[nodiscard]] std::size_t size() const { return 2 + bytes_ + (entries_.empty() ? 0 : entries_.size() - 1); }
  /// About how much memory it takes, in bytes.
  [[nodiscard]] std::size_t cost() const { return bytes_ + entries_.size() * 200; }

 private:
  struct Entry {
    std::string name;
    std::string quoted;  // the name as JSON
    std::string value;
  };

  Status change_one(const MetadataOperation& operation);
  /// Changes what `path` leads to.
  Status change_at(std::span<const std::string> path, const MetadataOperation& operation);
  static Result<std::optional<std::string>> changed_within(std::optional<std::string_view> value,
                                                           std::span<const std::string> path,
                                                           const MetadataOperation& operation);
  bool append_in_place(const std::string& name, std::string_view value);
  void put(const std::string& name, std::optional<std::string> value);

  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_name_;  // the names in entries_
  std::size_t bytes_ = 0;                                                     // of names, colons and values
};

}  // namespace perdure::store
