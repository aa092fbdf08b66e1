// Target: JSON texts as they are checked, cut and written, and the metadata that is made of them. Input: a text; of
// metadata an object on the first line and operations {"type","key","value"} on the others.
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "host/api/json_text.h"
#include "host/process/json_slices.h"
#include "host/process/utf8_text.h"
#include "store/model/json_members.h"
#include "store/model/json_text.h"
#include "store/model/metadata_document.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

constexpr store::JsonLimits kLimits{1u << 20, 32};

std::string written(std::string_view text) {
  api::JsonText json;
  json.text(text);
  return json.take();
}

// A library that builds documents accepts what the check accepts, except for what it says of its own.
void compare_with_parser(std::string_view text, bool is_json) {
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = kLimits.depth;
  (void)boost::json::parse(text, error, {}, options);
  claim(!is_json || !error, "what is accepted as JSON can be parsed");
}

void try_value(std::string_view value);

void try_object(const std::vector<store::JsonMember>& members, std::string_view text) {
  std::size_t count = 0;
  process::for_each_member(text, [&](std::string_view key, std::string_view value) {
    claim(count < members.size() && members[count].value == value, "both cutters find the same members");
    const std::optional<std::string> name = process::string_of('"' + std::string(key) + '"');
    claim(!name || *name == members[count].name, "both cutters find the same names");
    ++count;
  });
  claim(count == members.size(), "both cutters find as many members");
  for (const store::JsonMember& member : members) {
    claim(store::find_member(members, member.name).has_value(), "every member is found by its name");
    try_value(member.value);
  }
}

void try_value(std::string_view value) {
  claim(store::check_json(value, kLimits).is_ok(), "a part of a JSON text is one");
  claim(store::trimmed(value) == value, "a part of a JSON text has no blanks around it");
  if (const auto text = store::json_string(value)) {
    const std::string again = written(*text);
    claim(store::check_json(again, kLimits).is_ok(), "a text that is written is JSON");
    claim(store::json_string(again) == *text, "a text that is written comes back as it was");
    claim(process::string_of(value) == *text, "both cutters decode a string alike");
  }
  (void)process::integer_of(value);
  if (const auto members = store::json_members(value)) {
    claim(process::is_object(value), "both cutters see an object");
    try_object(*members, value);
  }
  if (const auto elements = store::json_elements(value)) {
    claim(process::is_array(value), "both cutters see an array");
    std::size_t count = 0;
    process::for_each_element(value, [&](std::string_view each) {
      claim(count < elements->size() && (*elements)[count] == each, "both cutters find the same elements");
      ++count;
    });
    claim(count == elements->size(), "both cutters find as many elements");
    for (const std::string_view each : *elements) try_value(each);
  }
}

// Any bytes, written as a string, are JSON: what is broken is replaced.
void try_bytes(std::string_view bytes) {
  const std::string json = written(bytes);
  claim(store::check_json(json, {}).is_ok(), "any bytes are JSON once they are written as a string");
  std::string slices;
  process::append_string(slices, bytes);
  claim(store::check_json(slices, {}).is_ok(), "any bytes are JSON once they are appended as a string");
  const std::string utf8 = process::to_utf8(bytes);
  claim(process::is_utf8(utf8), "what was made UTF-8 is UTF-8");
  claim(process::is_utf8(bytes) == (utf8 == bytes), "only what is no UTF-8 is changed");
  claim(store::json_string(json) == utf8, "what is written is the bytes made UTF-8");
  const std::size_t whole = process::whole_characters(utf8, utf8.size() / 2);
  claim(whole <= utf8.size() / 2 && process::is_utf8(utf8.substr(0, whole)), "UTF-8 is cut between characters");
}

std::optional<store::MetadataOperation> operation_in(std::string_view line) {
  if (!store::check_json(line, kLimits)) return std::nullopt;
  const auto members = store::json_members(line);
  if (!members) return std::nullopt;
  const auto text = [&](std::string_view name) {
    const auto value = store::find_member(*members, name);
    return value ? store::json_string(*value).value_or("") : std::string();
  };
  const auto change = store::parse_metadata_change(text("type"));
  if (!change) return std::nullopt;
  store::MetadataOperation operation{*change, text("key"), std::string(find_member(*members, "value").value_or(""))};
  return store::check_operation(operation) ? std::optional(std::move(operation)) : std::nullopt;
}

void try_metadata(std::string_view bytes) {
  Input input(bytes);
  const std::string_view object = input.line();
  if (!store::check_json(object, kLimits) || !store::json_members(object)) return;
  store::MetadataDocument document(object);
  claim(document.size() == document.text().size(), "the size of metadata is that of its text");
  std::vector<store::MetadataOperation> operations;
  while (!input.rest().empty()) {
    if (auto operation = operation_in(input.line())) operations.push_back(std::move(*operation));
  }
  const std::string before = document.text();
  store::MetadataDocument copy(document);
  const store::Status changed = document.change(operations);
  const std::string after = document.text();
  claim(document.size() == after.size(), "the size of changed metadata is that of its text");
  claim(after.size() <= store::kMostMetadata, "metadata keeps its bound");
  claim(store::check_json(after, {store::kMostMetadata, 256}).is_ok(), "changed metadata is JSON");
  claim(changed || after == before, "a refused change changes nothing");
  if (!changed) return;
  copy.repeat(operations);
  claim(copy.text() == after, "a change that is repeated makes the same");
}

}  // namespace

void json(std::string_view bytes) {
  try_bytes(bytes);
  const store::Status checked = store::check_json(bytes, kLimits);
  claim(checked.is_ok() || checked.code() == store::Code::kInvalid, "what is no JSON is refused as kInvalid");
  compare_with_parser(bytes, checked.is_ok());
  if (checked) try_value(store::trimmed(bytes));
  try_metadata(bytes);
}

}  // namespace perdure::fuzz
