// Brings what is in the plugin directory to the catalog: watches it, has it read on a thread of its own whenever it may
// have changed, one reading at a time, and hands over what was found. Core thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/catalog/directory_reader.h"
#include "host/catalog/directory_watch.h"

namespace perdure::catalog {

struct IntakeOptions {
  DirectoryReaderOptions directory;
  /// Reads it so often instead of watching it; 0: watches.
  std::chrono::milliseconds poll{0};
  /// Everything that is there, on the core thread. kIo: the directory cannot be read now; told once until it can.
  std::function<void(store::Result<std::vector<FoundPlugin>>)> found;
  std::function<void(const std::string&)> warn;
};

class Intake {
 public:
  /// Reads for the first time at once. `io` outlives the intake.
  Intake(boost::asio::io_context& io, IntakeOptions options);
  /// Waits for a reading under way.
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  /// Deletes the private copies of versions that are neither in `keep` nor in the directory.
  void prune(std::set<store::VersionId> keep);

 private:
  void read();
  void read_again(std::chrono::milliseconds pause);
  void have_read(store::Result<DirectoryReader::Scan> scan);

  boost::asio::io_context& io_;
  IntakeOptions options_;
  DirectoryReader reader_;                 // the worker's
  std::unique_ptr<DirectoryWatch> watch_;  // unless it is read at intervals
  boost::asio::steady_timer timer_;
  bool reading_ = false;
  bool again_ = false;       // something changed while it was read
  bool unreadable_ = false;  // told
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  boost::asio::thread_pool worker_{1};
};

}  // namespace perdure::catalog
