#include "store/rocks/batch_record.h"

#include <utility>

#include "store/rocks/codec.h"

namespace perdure::store::rocks {

// A run's id is two numbers, both 0 where an item made none.
std::string encode(const Batch& batch) {
  std::string bytes;
  bytes.reserve(64 + batch.idempotency_key.size() + 20 * batch.runs.size());
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(batch.run_count);
  out.text(batch.idempotency_key);
  out.name(batch.parent);
  out.time(batch.created_at);
  out.time(batch.sealed_at);
  out.u64(batch.runs.size());
  for (const RunId& run : batch.runs) {
    const PackedId id = pack(run).value_or(PackedId{});
    out.u64(id.high);
    out.u64(id.low);
  }
  out.u64(batch.faults.size());
  for (const BatchFault& fault : batch.faults) {
    out.u64(fault.index);
    out.name(fault.task);
    out.text(fault.message);
  }
  return bytes;
}

Result<Batch> decode_batch(PackedId id, std::string_view bytes) {
  Batch batch;
  batch.id = unpack_batch(id);
  Decoder in(bytes);
  if (!has_version(in)) return damaged("batch " + batch.id.text());
  batch.run_count = in.u32();
  batch.idempotency_key = in.string();
  batch.parent = in.name<RunId>();
  batch.created_at = in.time();
  batch.sealed_at = in.maybe_time();
  const std::size_t runs = in.count();
  for (std::size_t i = 0; i < runs && in.ok(); ++i) {
    PackedId run;
    run.high = in.u64();
    run.low = in.u64();
    batch.runs.push_back(run == PackedId{} ? RunId() : unpack(run));
  }
  const std::size_t faults = in.count();
  for (std::size_t i = 0; i < faults && in.ok(); ++i) {
    BatchFault& fault = batch.faults.emplace_back();
    fault.index = in.u32();
    fault.task = in.name<TaskId>();
    fault.message = in.string();
  }
  if (!in.ok()) return damaged("batch " + batch.id.text());
  return batch;
}

}  // namespace perdure::store::rocks
