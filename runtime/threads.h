// A persistent pool whose threads all call the same compiled entry at the same time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/abi.h"

namespace nnc::runtime {

// Cores that this process may use: its affinity mask, limited by the cgroup's CPU quota (version 1
// or 2, rounded up). At least 1.
int available_cores();

// The quota in cores that the cgroup files below `root` give to the group named in `self`
// (/proc/self/cgroup); 0 if there is no limit. For available_cores() and its tests.
double cgroup_quota(const std::string& self, const std::string& root);

// How long to wait before giving the core away.
struct Patience {
  int spins = 2048;  // pause instructions
  int yields = 64;   // calls of the scheduler, then sleep
};

// The result of work that is done beside; or, where the system starts no more threads, when it is
// asked for.
template <class Work>
auto in_background(Work work) {
  try {
    return std::async(std::launch::async, work);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, work);
  }
}

// Another thread for the list, if the system starts one.
template <class Work>
bool try_start(std::vector<std::thread>& threads, Work work) {
  threads.reserve(threads.size() + 1);
  try {
    threads.emplace_back(std::move(work));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// A counter that threads wait on: spins, then yields, then sleeps.
class Gate {
 public:
  uint32_t value() const { return value_.load(std::memory_order_acquire); }
  // Adds one and wakes whoever waits.
  void advance();
  // Returns when the value is no longer `old`.
  void wait(uint32_t old, const Patience& patience);

 private:
  alignas(64) std::atomic<uint32_t> value_{0};
  alignas(64) std::atomic<uint32_t> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable condition_;
};

// A barrier for `threads` threads that can be used again at once.
class Barrier {
 public:
  void reset(int threads, Patience patience);
  void arrive_and_wait();

 private:
  // What is written at every barrier stands alone: no other thread reads it to find its own way.
  alignas(64) std::atomic<int> missing_{0};
  alignas(64) int threads_ = 1;
  Patience patience_;
  Gate gate_;
};

// Sets flush-to-zero and denormals-are-zero for the calling thread while it lives.
class FlushToZero {
 public:
  explicit FlushToZero(bool wanted);
  ~FlushToZero();
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  bool wanted_;
  uint64_t saved_ = 0;
};

// The calling thread is thread 0; the pool owns threads 1 … threads-1. One caller at a time.
class ThreadPool {
 public:
  // threads <= 0: available_cores(). With more threads than cores, waiting threads sleep at once.
  // There are fewer where the system starts no more: see threads().
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }
  // More threads than cores: correct but slow; the command warns.
  bool oversubscribed() const { return oversubscribed_; }

  // Every one of `threads` threads (1 … threads()) calls function(&context, thread); returns when
  // all have. Fills context.threads and the barrier. A few hundred ns.
  void run(abi::EntryFn function, abi::Context& context, int threads, bool flush_to_zero);
  // With the entry's own wishes: preferred_threads and flush_to_zero.
  void run(const abi::EntryDesc& entry, abi::Context& context);

 private:
  struct Job {
    abi::EntryFn function = nullptr;
    const abi::Context* context = nullptr;
    int threads = 1;
    bool flush_to_zero = false;
  };
  void work(int thread);

  bool oversubscribed_ = false;
  Patience patience_;
  Job job_;
  bool stop_ = false;
  Gate start_;
  Barrier barrier_;
  alignas(64) std::atomic<int> running_{0};
  Gate finished_;
  std::vector<std::thread> workers_;
};

}  // namespace nnc::runtime
