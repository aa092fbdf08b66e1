// RocksDB's own log, handed to a function of ours. Needed not for reading only: with its default log file RocksDB
// aborts the process when the disk is full. Any thread.
#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace perdure::store::rocks {

enum class LogSinkLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
/// Takes one line, without its newline. Called on any thread; must not throw.
using LogSink = std::function<void(LogSinkLevel, const std::string& line)>;

/// A RocksDB logger that hands what is at least a warning to `sink` (which may be empty), and to `recovery`, when set,
/// each line that says bytes of a log were dropped.
std::shared_ptr<rocksdb::Logger> make_info_log(LogSink sink,
                                               std::function<void(const std::string& line)> recovery = {});

}  // namespace perdure::store::rocks
