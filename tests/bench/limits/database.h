// Opens an empty RocksDB with its defaults, for the limits.
#pragma once

#include <rocksdb/db.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/bench/process.h"

namespace perdure::bench {

inline std::unique_ptr<rocksdb::DB> open_database(const std::string& path) {
  std::filesystem::remove_all(path);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  rocksdb::DB* db = nullptr;
  if (!rocksdb::DB::Open(options, path, &db).ok()) die("opening " + path);
  return std::unique_ptr<rocksdb::DB>(db);
}

}  // namespace perdure::bench
