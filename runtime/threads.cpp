#include "runtime/threads.h"

#include <algorithm>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace nnc::runtime {
namespace {

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void barrier_arrive(void* barrier, int64_t) { static_cast<Barrier*>(barrier)->arrive_and_wait(); }

// One thread waits for nobody; a step of a tiny model is over in the time of ten barriers.
void barrier_alone(void*, int64_t) {}

}  // namespace

void Gate::advance() {
  value_.fetch_add(1, std::memory_order_seq_cst);
  // Either this sees the sleeper, or the sleeper (which counts itself before it looks at the
  // value again) sees the new value.
  if (sleepers_.load(std::memory_order_seq_cst) > 0) {
    { std::lock_guard lock(mutex_); }
    condition_.notify_all();
  }
}

void Gate::wait(uint32_t old, const Patience& patience) {
  for (int i = 0; i < patience.spins; ++i) {
    if (value_.load(std::memory_order_acquire) != old) return;
    pause();
  }
  for (int i = 0; i < patience.yields; ++i) {
    if (value_.load(std::memory_order_acquire) != old) return;
    std::this_thread::yield();
  }
  std::unique_lock lock(mutex_);
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  condition_.wait(lock, [&] { return value_.load(std::memory_order_seq_cst) != old; });
  sleepers_.fetch_sub(1, std::memory_order_seq_cst);
}

void Barrier::reset(int threads, Patience patience) {
  threads_ = threads;
  patience_ = patience;
  missing_.store(threads, std::memory_order_relaxed);
}

void Barrier::arrive_and_wait() {
  const uint32_t generation = gate_.value();
  if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    missing_.store(threads_, std::memory_order_relaxed);
    gate_.advance();
  } else {
    gate_.wait(generation, patience_);
  }
}

FlushToZero::FlushToZero(bool wanted) : wanted_(wanted) {
  if (!wanted_) return;
#if defined(__x86_64__) || defined(__i386__)
  saved_ = _mm_getcsr();
  _mm_setcsr(static_cast<unsigned>(saved_) | 0x8040u);  // FTZ and DAZ
#elif defined(__aarch64__)
  asm volatile("mrs %0, fpcr" : "=r"(saved_));
  asm volatile("msr fpcr, %0" : : "r"(saved_ | (uint64_t{1} << 24)));  // FZ
#endif
}

FlushToZero::~FlushToZero() {
  if (!wanted_) return;
#if defined(__x86_64__) || defined(__i386__)
  _mm_setcsr(static_cast<unsigned>(saved_));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(saved_));
#endif
}

ThreadPool::ThreadPool(int threads) {
  const int cores = available_cores();
  if (threads <= 0) threads = cores;
  oversubscribed_ = threads > cores;
  if (oversubscribed_) patience_ = {16, 1};
  for (int i = 1; i < threads; ++i) {
    if (!try_start(workers_, [this, i] { work(i); })) break;
  }
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  start_.advance();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::work(int thread) {
  for (uint32_t seen = 0;; ++seen) {
    start_.wait(seen, patience_);
    if (stop_) return;
    if (thread < job_.threads) {
      FlushToZero mode(job_.flush_to_zero);
      job_.function(job_.context, thread);
    }
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) finished_.advance();
  }
}

void ThreadPool::run(abi::EntryFn function, abi::Context& context, int threads,
                     bool flush_to_zero) {
  threads = std::clamp(threads, 1, this->threads());
  context.threads = threads;
  context.barrier = threads == 1 ? barrier_alone : barrier_arrive;
  context.barrier_state = &barrier_;
  barrier_.reset(threads, patience_);
  if (threads == 1) {
    FlushToZero mode(flush_to_zero);
    function(&context, 0);
    return;
  }
  job_ = {function, &context, threads, flush_to_zero};
  const uint32_t finished = finished_.value();
  running_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  start_.advance();
  {
    FlushToZero mode(flush_to_zero);
    function(&context, 0);
  }
  finished_.wait(finished, patience_);
}

void ThreadPool::run(const abi::EntryDesc& entry, abi::Context& context) {
  const int wanted =
      entry.preferred_threads > 0 ? static_cast<int>(entry.preferred_threads) : threads();
  run(entry.function, context, wanted, entry.flush_to_zero);
}

}  // namespace nnc::runtime
