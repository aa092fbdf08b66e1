// The environment variables that clients gave to tasks: in the environment of each attempt that begins from then on.
// Kept in a small file beside the store, which only its owner may read and which is replaced whole, because values are
// secrets as often as not: they are in no copy of the store, no log and no error.
// Any thread; changes are durable when they are answered, and block for that.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "store/model/status.h"

namespace perdure::engine {

struct Variable {
  std::string value;
  bool secret = false;  // it is given to attempts, and shown to nobody
  bool operator==(const Variable&) const = default;
};
using VariableMap = std::map<std::string, Variable>;  // by name

inline constexpr std::size_t kMostVariables = 500;
inline constexpr std::size_t kLongestVariable = std::size_t{32} << 10;      // bytes of a value
inline constexpr std::size_t kLargestEnvironment = std::size_t{256} << 10;  // … of all names and values together

/// Whether attempts may be given a variable of that name and value; kInvalid says why not, and not the value. Names
/// that decide how a process is loaded (LD_…), and those that are the host's own (PERDURE_…, TMPDIR), may not.
store::Status check_variable(std::string_view name, std::string_view value);

class Variables {
 public:
  /// Of no file: they are gone with the object.
  Variables() = default;
  /// Those in the file at `path`, which need not exist. kInvalid when others may read it; kIo, kCorruption.
  static store::Result<std::unique_ptr<Variables>> open(std::string path);

  [[nodiscard]] VariableMap all() const;
  /// kNotFound.
  [[nodiscard]] store::Result<Variable> find(std::string_view name) const;

  /// What to do with variables that are there already.
  enum class Existing { kReplace, kRefuse };
  /// Sets all of them or none: kInvalid, also when there would be too many; kConflict, when one is to be refused for
  /// being there; kNoSpace, kIo.
  store::Status set(const VariableMap& variables, Existing existing);
  /// Another value of a variable, as secret as it was. kNotFound, kInvalid, kNoSpace, kIo.
  store::Status change(const std::string& name, std::string value);
  /// kNotFound, kNoSpace, kIo.
  store::Status remove(const std::string& name);

  /// {"NAME":"value",…} as attempts are told; empty when there are none.
  [[nodiscard]] std::string document() const;

 private:
  explicit Variables(std::string path) : path_(std::move(path)) {}
  store::Status keep(VariableMap variables);

  const std::string path_;
  std::mutex change_mutex_;   // one change at a time, its writing included; taken before mutex_
  mutable std::mutex mutex_;  // for what follows
  VariableMap variables_;
  std::string document_;
};

}  // namespace perdure::engine
