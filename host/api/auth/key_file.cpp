#include "host/api/auth/key_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "host/api/json_text.h"
#include "host/os/durable_file.h"
#include "store/model/json_members.h"
#include "store/model/json_text.h"
#include "store/model/timestamp.h"

namespace perdure::api::auth {
namespace {

using store::Result;
using store::Status;
using Members = std::vector<store::JsonMember>;

constexpr store::JsonLimits kLimits{1u << 20, 8};

Status failed(const std::string& doing, const std::string& path) {
  const int error = errno;
  const std::string message = "cannot " + doing + " " + path + ": " + std::strerror(error);
  return error == ENOSPC || error == EDQUOT ? Status::no_space(message) : Status::io(message);
}

Status replace(const std::string& path, std::string_view text) {
  return os::replace_file(path, text, 0600) ? Status::ok() : failed("write", path);
}

std::string text_of(const Members& members, std::string_view name) {
  const auto value = store::find_member(members, name);
  return value ? store::json_string(*value).value_or("") : "";
}

std::optional<store::Time> time_of(const Members& members, std::string_view name) {
  const auto time = store::parse_time(text_of(members, name));
  return time ? std::optional(time.value()) : std::nullopt;
}

// The objects of a list; nothing when it is there and is no such list.
std::optional<std::vector<Members>> objects_of(const Members& members, std::string_view name) {
  std::vector<Members> objects;
  const auto list = store::find_member(members, name);
  if (!list) return objects;
  const auto elements = store::json_elements(*list);
  if (!elements) return std::nullopt;
  for (const std::string_view element : *elements) {
    auto object = store::json_members(element);
    if (!object) return std::nullopt;
    objects.push_back(std::move(*object));
  }
  return objects;
}

std::optional<StoredKey> read_key(const Members& members) {
  StoredKey key;
  key.id = text_of(members, "id");
  key.name = text_of(members, "name");
  key.digest = text_of(members, "digest");
  key.hint = text_of(members, "hint");
  const auto created = time_of(members, "createdAt");
  const auto scopes = store::find_member(members, "scopes");
  const auto names = scopes ? store::json_elements(*scopes) : std::nullopt;
  if (key.id.empty() || key.digest.size() != 64 || !created || !names) return std::nullopt;
  key.created_at = *created;
  for (const std::string_view name : *names) {
    const auto right = parse_right(store::json_string(name).value_or(""));
    if (!right) return std::nullopt;
    key.rights = static_cast<Rights>(key.rights | static_cast<Rights>(*right));
  }
  return key;
}

}  // namespace

std::string to_text(const KeyTable& table) {
  JsonText json;
  json.begin_object().key("keys").begin_array();
  for (const StoredKey& key : table.keys) {
    json.begin_object().text("id", key.id).text("name", key.name).text("digest", key.digest).text("hint", key.hint);
    json.key("scopes").begin_array();
    for (const Right right : kRights) {
      if ((key.rights & static_cast<Rights>(right)) != 0) json.text(right_name(right));
    }
    json.end_array().time("createdAt", key.created_at).end_object();
  }
  json.end_array().key("formerRootKeys").begin_array();
  for (const FormerRootKey& former : table.former_root_keys) {
    json.begin_object().text("key", former.text).time("acceptedUntil", former.accepted_until).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<KeyTable> parse_key_table(std::string_view text) {
  const Status damaged = Status::corruption("it does not hold keys as they were written");
  if (!store::check_json(text, kLimits)) return damaged;
  const auto members = store::json_members(text);
  const auto keys = members ? objects_of(*members, "keys") : std::nullopt;
  const auto former = members ? objects_of(*members, "formerRootKeys") : std::nullopt;
  if (!keys || !former) return damaged;
  KeyTable table;
  for (const Members& each : *keys) {
    std::optional<StoredKey> key = read_key(each);
    if (!key) return damaged;
    table.keys.push_back(std::move(*key));
  }
  for (const Members& each : *former) {
    const auto until = time_of(each, "acceptedUntil");
    FormerRootKey root{text_of(each, "key"), until.value_or(store::Time{})};
    if (!until || root.text.empty()) return damaged;
    table.former_root_keys.push_back(std::move(root));
  }
  return table;
}

Result<KeyTable> read_key_file(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0)
    return errno == ENOENT ? Result(KeyTable{}) : Result<KeyTable>(failed("read", path));
  if ((about.st_mode & 077) != 0) {
    return Status::invalid("the keys in " + path + " may be read by others; make them yours alone with: chmod 600 " +
                           path);
  }
  std::string text;
  if (!os::read_file(path, text)) return failed("read", path);
  Result<KeyTable> table = parse_key_table(text);
  if (table) return table;
  return Status::corruption("the keys in " + path + " cannot be read: " + table.status().message() +
                            "; restore the file, or delete it and create the keys again");
}

Status write_key_file(const std::string& path, const KeyTable& table) { return replace(path, to_text(table)); }
Status write_secret_file(const std::string& path, std::string_view key) {
  return replace(path, std::string(key) + "\n");
}

}  // namespace perdure::api::auth
