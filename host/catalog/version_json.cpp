#include "host/catalog/version_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "store/model/timestamp.h"

namespace perdure::catalog {
namespace {

namespace json = boost::json;
using store::Status;

constexpr std::int64_t kFormat = 1;

Status expected(const std::string& what) { return Status::corruption("expected " + what); }

/// Reads members one after the other, and keeps the first thing that is wrong.
class Members {
 public:
  Members(const json::value& value, std::string what) : object_(value.if_object()), what_(std::move(what)) {
    if (object_ == nullptr) fail("an object for " + what_);
  }
  [[nodiscard]] const Status& status() const { return status_; }

  std::string text(std::string_view name) {
    const json::value* value = member(name);
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
    fail("a text as \"" + std::string(name) + "\" of " + what_);
    return {};
  }
  store::VersionId version(std::string_view name) { return store::VersionId(text(name)); }
  store::Time time(std::string_view name) {
    const auto read = store::parse_time(text(name));
    if (!read) fail("a time as \"" + std::string(name) + "\" of " + what_);
    return read ? *read : store::Time{};
  }
  bool flag(std::string_view name) {
    const json::value* value = member(name);
    if (value != nullptr && !value->is_bool()) fail("true or false as \"" + std::string(name) + "\" of " + what_);
    return value != nullptr && value->is_bool() && value->get_bool();
  }
  const json::object& object(std::string_view name) {
    static const json::object kEmpty;
    const json::value* value = member(name);
    if (value != nullptr && value->is_object()) return value->get_object();
    fail("an object as \"" + std::string(name) + "\" of " + what_);
    return kEmpty;
  }
  const json::array& array(std::string_view name) {
    static const json::array kEmpty;
    const json::value* value = member(name);
    if (value != nullptr && value->is_array()) return value->get_array();
    fail("a list as \"" + std::string(name) + "\" of " + what_);
    return kEmpty;
  }
  const json::value* member(std::string_view name) const {
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }

 private:
  void fail(const std::string& what) {
    if (status_) status_ = expected(what);
  }

  const json::object* object_;
  std::string what_;
  Status status_;
};

json::object to_json(const VersionRecord& record) {
  return {{"number", record.number},
          {"file", record.file},
          {"plugin", record.plugin},
          {"version", record.version},
          {"tasks", json::array(record.tasks.begin(), record.tasks.end())},
          {"first_seen", store::format_time(record.first_seen)}};
}

json::object to_json(const FileRecord& record) {
  json::array history;
  for (const FileRecord::Served& served : record.history) {
    json::object entry{{"version", served.version.text()}, {"since", store::format_time(served.since)}};
    if (served.rolled_back) entry["rolled_back"] = true;
    history.emplace_back(std::move(entry));
  }
  json::object file{{"history", std::move(history)}};
  if (record.hold) {
    file["hold"] =
        json::object{{"passed_over", record.hold->passed_over.text()}, {"instead", record.hold->instead.text()}};
  }
  if (record.withdrawn) file["withdrawn"] = store::format_time(*record.withdrawn);
  return file;
}

Status read(const json::value& value, const std::string& what, VersionRecord& record) {
  Members members(value, what);
  record.number = members.text("number");
  record.file = members.text("file");
  record.plugin = members.text("plugin");
  record.version = members.text("version");
  for (const json::value& task : members.array("tasks")) {
    if (task.is_string()) record.tasks.emplace_back(task.get_string());
  }
  record.first_seen = members.time("first_seen");
  return members.status();
}

Status read(const json::value& value, const std::string& what, FileRecord& record) {
  Members members(value, what);
  for (const json::value& entry : members.array("history")) {
    Members inner(entry, "the history of " + what);
    record.history.push_back({inner.version("version"), inner.time("since"), inner.flag("rolled_back")});
    if (!inner.status()) return inner.status();
  }
  if (const json::value* hold = members.member("hold")) {
    Members inner(*hold, "the hold of " + what);
    record.hold = FileRecord::Hold{inner.version("passed_over"), inner.version("instead")};
    if (!inner.status()) return inner.status();
  }
  if (members.member("withdrawn") != nullptr) record.withdrawn = members.time("withdrawn");
  return members.status();
}

}  // namespace

std::string versions_to_json(const RegisteredVersions& registered) {
  json::object versions, files;
  for (const auto& [id, record] : registered.versions) versions[id.text()] = to_json(record);
  for (const auto& [name, record] : registered.files) files[name] = to_json(record);
  return json::serialize(
             json::object{{"format", kFormat}, {"versions", std::move(versions)}, {"files", std::move(files)}}) +
         "\n";
}

store::Result<RegisteredVersions> versions_from_json(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // a file's name is bytes
  json::error_code error;
  const json::value document = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return Status::corruption("it is not JSON (" + error.message() + ")");
  Members members(document, "the document");
  const json::value* format = members.member("format");
  if (members.status() && (format == nullptr || !format->is_int64() || format->get_int64() != kFormat)) {
    return expected("1 as \"format\" of the document");
  }
  RegisteredVersions registered;
  for (const auto& [id, value] : members.object("versions")) {
    const Status status =
        read(value, "version " + std::string(id), registered.versions[store::VersionId(std::string(id))]);
    if (!status) return status;
  }
  for (const auto& [name, value] : members.object("files")) {
    const Status status = read(value, "file " + std::string(name), registered.files[std::string(name)]);
    if (!status) return status;
  }
  if (!members.status()) return members.status();
  return registered;
}

}  // namespace perdure::catalog
