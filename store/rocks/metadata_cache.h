// The metadata of the runs whose metadata changed last, ready for the next change. What is stored of a run is an object
// and the operations done to it since, so that a change writes what it changes; once the operations are as large as the
// object, or many, it is written anew. Not thread-safe: the store's mutex guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/model/metadata_document.h"
#include "store/rocks/database.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

class MetadataCache {
 public:
  /// Changes the metadata of `run`, all or nothing, and adds what must be written to `batch`. `triggered_with` is what
  /// it begins as. kInvalid: nothing changed. After any failure to write the batch, clear() is due.
  Status change(const Database& db, PackedId run, std::string_view triggered_with,
                const std::vector<MetadataOperation>& operations, Batch& batch);
  void clear();

  /// What is stored of a run whose metadata has changed.
  static Result<std::string> read(const Database& db, PackedId run, std::string_view triggered_with);

 private:
  struct Cached {
    PackedId run;
    MetadataDocument document;
    bool stored = false;           // there is an object in the database
    std::uint64_t operations = 0;  // since the object was written: their keys are the numbers from 1
    std::size_t bytes = 0;         // of these
    std::size_t cost = 0;
  };
  static Result<Cached> load(const Database& db, PackedId run, std::string_view triggered_with);
  void note_cost(Cached& cached);

  std::list<Cached> newest_first_;
  std::unordered_map<PackedId, std::list<Cached>::iterator> by_run_;
  std::size_t cost_ = 0;
};

}  // namespace perdure::store::rocks
