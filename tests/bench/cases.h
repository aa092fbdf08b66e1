// What the benchmark measures: cases of probes that are taken in turn, so that a product's figure and its limit's come
// from the same minutes of a noisy machine. Single-threaded.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/limits/exchange.h"
#include "tests/bench/product.h"
#include "tests/bench/table.h"

namespace perdure::bench {

struct Settings {
  std::string dir;      // where the data lies; its disk is what is synced
  double seconds = 2;   // about that long for a figure that is not counted in runs
  long runs = 10000;    // of an end-to-end figure
  long many = 1000000;  // runs in the store where it is to have very many
  ZygoteFiles zygote;
  ProductFiles product;
  std::string own_executable;
};

/// A probe's samples: key and value, rates in 1/s, times in seconds.
using Samples = std::vector<std::pair<std::string, double>>;

struct Case {
  std::string name;                              // for --only
  std::vector<std::function<Samples()>> probes;  // taken in turn, repeatedly
};

std::vector<Case> cases(const Settings& settings);
/// Of them, those about a store with very many runs.
std::vector<Case> scale_cases(const Settings& settings);

/// The table's lines, in order.
std::vector<Row> rows();
std::vector<Row> scale_rows();

}  // namespace perdure::bench
