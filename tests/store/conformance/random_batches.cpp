// Random operations on batches, and children of successes; see random_operations.h.
#include "tests/store/conformance/random_operations.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

template <class T>
void expect_same(const Result<T>& subject, const Result<T>& reference, const char* what) {
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()))
      << what << ": " << subject.status().message() << reference.status().message();
  if (!subject) return;
  EXPECT_TRUE(*subject == *reference) << what;
}

}  // namespace

BatchId RandomOperations::some_batch() {
  return batches_.empty() || one_in(30) ? new_batch_id(now_) : batches_[below(batches_.size())];
}

NewRun RandomOperations::some_new_run() {
  NewRun run;
  run.id = new_run_id(now_);
  if (one_in(60)) {
    if (const RunId taken = some_run(); reference_.run(taken)) run.id = taken;
  }
  run.task = TaskId(pick("task", 3));
  run.queue = QueueName("queue");
  run.now = now_;
  run.payload = "1";
  if (one_in(3)) run.options.idempotency_key = pick("k", 20);
  if (one_in(4)) run.delayed_until = now_ + Duration(below(300));
  if (one_in(8)) run.options.ttl = Duration(1 + below(300));
  return run;
}

BatchItems RandomOperations::some_items(const BatchId& batch, std::size_t count) {
  BatchItems items;
  items.batch = batch;
  items.now = now_;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (one_in(6)) {
      items.faults.push_back({i, TaskId("gone"), "no such task"});
    } else {
      items.runs.push_back(some_new_run());
    }
  }
  return items;
}

void RandomOperations::batch(Store& store) {
  switch (below(6)) {
    case 0: {
      NewBatch created;
      created.id = one_in(20) ? some_batch() : new_batch_id(now_);
      created.run_count = static_cast<std::uint32_t>(below(4));
      if (one_in(2)) created.idempotency_key = pick("b", 10);
      created.idempotency_ttl = Duration(1 + below(2000));
      created.now = now_;
      if (one_in(4)) created.parent = some_run();
      const Result<Batch> subject = create_batch(store, created), reference = create_batch(reference_, created);
      if (reference) batches_.push_back(reference->id);
      return expect_same(subject, reference, "create_batch");
    }
    case 1: {
      const BatchId id = some_batch();
      std::map<std::uint32_t, std::string> items;
      for (std::uint64_t i = below(3); i > 0; --i) items[static_cast<std::uint32_t>(below(4))] = pick("item", 100);
      expect_same(keep_items(store, id, items), keep_items(reference_, id, items), "keep_items");
      return expect_same(store.kept_items(id), reference_.kept_items(id), "kept_items");
    }
    case 2: {
      const Time before = now_ - Duration(below(3000));
      const std::size_t max = 1 + below(5);
      return expect_same(remove_batches(store, before, max), remove_batches(reference_, before, max), "remove_batches");
    }
    default: {
      const bool fresh = one_in(2);
      const BatchId id = fresh ? new_batch_id(now_) : some_batch();
      const Result<Batch> there = reference_.batch(id);
      BatchItems items = some_items(id, there && !one_in(10) ? there->run_count : below(5));
      items.fresh = fresh;
      if (fresh && one_in(2)) {
        items.parent = some_run();
        items.call = 1 + below(3);
        items.name = pick("task", 2);
      }
      const Result<Batch> subject = enqueue_batch(store, items), reference = enqueue_batch(reference_, items);
      if (reference) batches_.push_back(reference->id);
      for (const NewRun& run : items.runs) {
        if (reference_.run(run.id)) runs_.push_back(run.id);
      }
      return expect_same(subject, reference, "enqueue_batch");
    }
  }
}

void RandomOperations::add_children(AttemptEnd& end) {
  for (std::uint64_t i = below(3); i > 0; --i) {
    end.children.push_back(some_new_run());
    end.children.back().parent = end.children.back().root = end.run;
  }
  if (!one_in(3)) return;
  end.batches.push_back(some_items(new_batch_id(now_), below(4)));
  end.batches.back().fresh = true;
  end.batches.back().parent = end.run;
}

void RandomOperations::note_children(const AttemptEnd& end) {
  const auto note = [&](const NewRun& run) {
    if (reference_.run(run.id)) runs_.push_back(run.id);
  };
  for (const NewRun& run : end.children) note(run);
  for (const BatchItems& items : end.batches) {
    for (const NewRun& run : items.runs) note(run);
    batches_.push_back(items.batch);
  }
}

void RandomOperations::compare_batches(Store& store) {
  for (const BatchId& id : batches_) {
    SCOPED_TRACE(id.text());
    expect_same(store.batch(id), reference_.batch(id), "batch");
    expect_same(store.kept_items(id), reference_.kept_items(id), "kept_items");
  }
}

}  // namespace perdure::store::conformance
