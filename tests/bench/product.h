// The product under measurement: the real `perdure serve` on a fresh data directory, reached over HTTP on loopback.
// Single-threaded; dies, with the host's last words, when the host does not do its part.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/bench/http_client.h"

namespace perdure::bench {

struct ProductFiles {
  std::string perdure;  // the executable
  std::string plugins;  // a directory with the playground plugin only
};

/// A running host; ends with the object.
class Product {
 public:
  /// Starts it on `dir`/product, emptied first, and waits until it is ready.
  Product(const ProductFiles& files, const std::string& dir);
  /// The same on the data directory `data`, as it is, which stays.
  static Product on(const ProductFiles& files, const std::string& dir, const std::string& data);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  /// Triggers `runs` runs of `task` over 8 connections, 16 deep each, while the host already works on them.
  /// Runs/s from the first trigger to the last completion (all durable).
  double end_to_end(const std::string& task, long runs);

  /// Seconds from sending the trigger to having read the output, one run at a time on an idle host, each of `samples`.
  std::vector<double> latency(const std::string& task, int samples);

  /// Acknowledged triggers/s over 8 connections, `depth` under way on each, of runs that do not start within the hour.
  double enqueue(const std::string& task, double seconds, int depth);

  /// Requests/s over so many connections, each of which triggers such a run, retrieves it, and so on.
  double trigger_and_retrieve(const std::string& task, double seconds, int connections);

  /// Triggers `runs` runs of `task` with that payload, with which they wait, and waits until all of them do.
  void let_wait(const std::string& task, long runs, const std::string& payload);
  /// Makes a token that runs can wait for; its id. And lets all go on that do.
  std::string make_token();
  void complete_token(const std::string& id);
  /// Waits until so many runs, which wait that long themselves, have completed since the host started.
  void await_completed(long runs, std::chrono::milliseconds waits = {});
  /// What the processes of attempts have for themselves: how many there are, and bytes that are private and dirty or
  /// page tables, on average.
  struct Attempts {
    long count = 0;
    double bytes = 0;
  };
  [[nodiscard]] Attempts attempts() const;
  /// Runs/s of batches of `size` such runs, sent in two phases as clients do, one batch after the other over each of 2
  /// connections.
  double batch_trigger(const std::string& task, double seconds, int size);

  /// Seconds from starting the process to its being ready.
  [[nodiscard]] double starting() const { return starting_; }
  /// Bytes of memory that the host has resident now.
  [[nodiscard]] double memory() const;
  /// Seconds that each of `samples` requests took for the first page of runs with `filter`, such as
  /// "filter%5Bstatus%5D=FAILED". Dies when a page is empty.
  std::vector<double> first_page(const std::string& filter, int samples);

 private:
  static constexpr double kPatience = 30;  // s
  /// A number that /perdure/v1/status tells.
  long told(Connection& connection, const std::string& name) const;
  /// Waits until that is at least `wanted`; gives up when it has not grown for `patience` seconds.
  void await_told(const std::string& name, long wanted, double patience = kPatience);
  std::string trigger_text(const std::string& task, const std::string& options) const;
  [[noreturn]] void give_up(const std::string& what) const;

  Product(const ProductFiles& files, std::string dir, const std::string& data);

  std::string dir_;
  unsigned short port_;
  pid_t pid_;
  double starting_ = 0;
  std::string key_;
};

}  // namespace perdure::bench
