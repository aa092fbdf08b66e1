#include "host/engine/variables.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "host/os/durable_file.h"
#include "store/model/json_members.h"
#include "store/model/json_text.h"

namespace perdure::engine {
namespace {

using store::Result;
using store::Status;

constexpr store::JsonLimits kFileLimits{std::size_t{4} << 20, 8};
constexpr std::size_t kLongestName = 128;

std::string json_quoted(std::string_view text) { return boost::json::serialize(boost::json::string_view(text)); }

Status failed(const std::string& doing, const std::string& path) {
  const int error = errno;
  const std::string message = "cannot " + doing + " " + path + ": " + std::strerror(error);
  return error == ENOSPC || error == EDQUOT ? Status::no_space(message) : Status::io(message);
}

// {"variables":{NAME:{"value":…,"secret":bool}}}
std::string file_text(const VariableMap& variables) {
  std::string text = "{\"variables\":{";
  for (const auto& [name, variable] : variables) {
    if (text.back() != '{') text += ',';
    text += "\n" + json_quoted(name) + ":{\"value\":" + json_quoted(variable.value);
    text += variable.secret ? ",\"secret\":true}" : ",\"secret\":false}";
  }
  return text + "}}\n";
}

std::optional<VariableMap> parse_file(std::string_view text) {
  if (!store::check_json(text, kFileLimits)) return std::nullopt;
  const auto members = store::json_members(text);
  const auto object = members ? store::find_member(*members, "variables") : std::nullopt;
  const auto entries = object ? store::json_members(*object) : std::nullopt;
  if (!entries) return std::nullopt;
  VariableMap variables;
  for (const store::JsonMember& entry : *entries) {
    const auto parts = store::json_members(entry.value);
    const auto value = parts ? store::find_member(*parts, "value") : std::nullopt;
    auto text_of_it = value ? store::json_string(*value) : std::nullopt;
    if (!text_of_it || !check_variable(entry.name, *text_of_it)) return std::nullopt;
    variables[entry.name] = {std::move(*text_of_it), store::find_member(*parts, "secret") == "true"};
  }
  return variables;
}

Status check_all(const VariableMap& variables) {
  std::size_t bytes = 0;
  for (const auto& [name, variable] : variables) bytes += name.size() + variable.value.size();
  if (variables.size() > kMostVariables) {
    return Status::invalid("there may be at most " + std::to_string(kMostVariables) + " variables");
  }
  if (bytes > kLargestEnvironment) {
    return Status::invalid("all variables together may have at most " + std::to_string(kLargestEnvironment) +
                           " bytes; keep large values in a file, and its path in a variable");
  }
  return Status::ok();
}

std::string document_of(const VariableMap& variables) {
  if (variables.empty()) return {};
  std::string text = "{";
  for (const auto& [name, variable] : variables) {
    if (text.size() > 1) text += ',';
    text += json_quoted(name) + ":" + json_quoted(variable.value);
  }
  return text + "}";
}

}  // namespace

Status check_variable(std::string_view name, std::string_view value) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const bool is_name = !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, fits) &&
                       std::isdigit(static_cast<unsigned char>(name.front())) == 0;
  if (!is_name) {
    return Status::invalid("the name of a variable has 1 to 128 letters, digits and underscores, and no digit first");
  }
  const std::string shown(name);
  if (name.starts_with("LD_")) return Status::invalid(shown + " decides how programs are loaded: it cannot be given");
  if (name.starts_with("PERDURE_") || name == "TMPDIR") {
    return Status::invalid(shown + " is the host's own: it cannot be given");
  }
  if (value.size() > kLongestVariable) {
    return Status::invalid("the value of " + shown + " has more than " + std::to_string(kLongestVariable) + " bytes");
  }
  if (value.find('\0') != std::string_view::npos) return Status::invalid("the value of " + shown + " has a NUL in it");
  return Status::ok();
}

Result<std::unique_ptr<Variables>> Variables::open(std::string path) {
  std::unique_ptr<Variables> opened(new Variables(std::move(path)));
  struct stat about {};
  if (::stat(opened->path_.c_str(), &about) != 0) {
    if (errno == ENOENT) return opened;
    return failed("read", opened->path_);
  }
  if ((about.st_mode & 077) != 0) {
    return Status::invalid("the variables in " + opened->path_ +
                           " may be read by others; make them yours alone with: chmod 600 " + opened->path_);
  }
  std::string text;
  if (!os::read_file(opened->path_, text)) return failed("read", opened->path_);
  std::optional<VariableMap> variables = parse_file(text);
  if (!variables) {
    return Status::corruption("the variables in " + opened->path_ +
                              " cannot be read; restore the file, or delete it and set the variables again");
  }
  opened->document_ = document_of(*variables);
  opened->variables_ = std::move(*variables);
  return opened;
}

VariableMap Variables::all() const {
  const std::lock_guard lock(mutex_);
  return variables_;
}

Result<Variable> Variables::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = variables_.find(std::string(name));
  if (found == variables_.end()) return Status::not_found("there is no variable " + std::string(name));
  return found->second;
}

std::string Variables::document() const {
  const std::lock_guard lock(mutex_);
  return document_;
}

Status Variables::keep(VariableMap variables) {
  if (Status checked = check_all(variables); !checked) return checked;
  if (!path_.empty() && !os::replace_file(path_, file_text(variables), 0600)) return failed("write", path_);
  std::string document = document_of(variables);
  const std::lock_guard lock(mutex_);
  variables_ = std::move(variables);
  document_ = std::move(document);
  return Status::ok();
}

Status Variables::set(const VariableMap& variables, Existing existing) {
  const std::lock_guard changing(change_mutex_);
  VariableMap next = all();
  for (const auto& [name, variable] : variables) {
    if (Status checked = check_variable(name, variable.value); !checked) return checked;
    if (existing == Existing::kRefuse && next.contains(name)) {
      return Status::conflict("the variable " + name + " is set already; send \"override\": true to replace it");
    }
    next[name] = variable;
  }
  return keep(std::move(next));
}

Status Variables::change(const std::string& name, std::string value) {
  const std::lock_guard changing(change_mutex_);
  VariableMap next = all();
  const auto found = next.find(name);
  if (found == next.end()) return Status::not_found("there is no variable " + name);
  if (Status checked = check_variable(name, value); !checked) return checked;
  found->second.value = std::move(value);
  return keep(std::move(next));
}

Status Variables::remove(const std::string& name) {
  const std::lock_guard changing(change_mutex_);
  VariableMap next = all();
  if (next.erase(name) == 0) return Status::not_found("there is no variable " + name);
  return keep(std::move(next));
}

}  // namespace perdure::engine
