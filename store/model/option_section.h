// Reads one object of an options document: asks for keys by name, converts them, and says by path what is wrong. The
// keys asked for are the known ones; close() refuses all others. Not thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/status.h"

namespace perdure::store {

/// What all sections of a document share.
struct OptionsReading {
  std::string subject;  // begins every message: "task \"hello\""
  bool accept_unknown = false;
  Status status;  // the first thing that was wrong
};

class OptionSection {
 public:
  /// `path` is empty for the document itself, else such as "retry.on"; both arguments outlive the section.
  OptionSection(OptionsReading& reading, const boost::json::object& object, std::string path)
      : reading_(reading), object_(object), path_(std::move(path)) {}

  // Each gives nothing when the key is absent or wrong; then the reading's status says so. -------------------------
  const boost::json::value* find(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> text(std::string_view key, std::size_t least_size, std::size_t most_size);
  std::optional<std::string> one_of(std::string_view key, std::initializer_list<std::string_view> values);
  std::optional<OptionSection> section(std::string_view key);

  /// Says that the value of `key` is not what was expected: "must be <expected>, not <the value>".
  void refuse(std::string_view key, std::string_view expected);
  /// Refuses when `key` is absent.
  void require(std::string_view key);
  /// Refuses the keys that nobody asked for.
  void close();

 private:
  [[nodiscard]] std::string path_of(std::string_view key) const;
  void fail(const std::string& what);

  OptionsReading& reading_;
  const boost::json::object& object_;
  std::string path_;
  std::vector<std::string_view> known_;
};

}  // namespace perdure::store
