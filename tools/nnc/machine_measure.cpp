// The measurements behind `nnc bench --machine`.
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "runtime/memory.h"
#include "runtime/threads.h"
#include "tools/nnc/machine.h"
#include "tools/nnc/machine_kernels.h"
#include "tools/nnc/machine_peak.h"
#include "tools/workbench/clock.h"

namespace nnc::tool {

using namespace workbench;

namespace {

constexpr int samples = 15;
constexpr double sample_bytes = 64e6;  // at least so much is read for one sample
constexpr int64_t handed_over = 200'000;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Threads are called with a pointer to their job in context.arena.
template <class Job>
const Job& job_of(const abi::Context* context) {
  return *static_cast<const Job*>(context->arena);
}

struct ReadJob {
  const MachineKernels* kernels;
  char* data;
  int64_t bytes;  // of each thread
  int64_t passes;
  char* sinks;  // 64 bytes for each thread
};

void read_slice(const abi::Context* context, int64_t thread) {
  const auto& job = job_of<ReadJob>(context);
  job.kernels->read(job.data + thread * job.bytes, job.bytes, job.passes, job.sinks + 64 * thread);
}

// GB/s of all threads of the pool.
double read_speed(const MachineKernels& kernels, runtime::ThreadPool& pool, int64_t bytes) {
  const auto threads = static_cast<size_t>(pool.threads());
  runtime::Buffer data = runtime::Buffer::zeros(threads * static_cast<size_t>(bytes));
  runtime::Buffer sinks = runtime::Buffer::zeros(64 * threads);
  ReadJob job{&kernels, data.as<char>(), bytes,
              std::max<int64_t>(1, static_cast<int64_t>(sample_bytes) / bytes), sinks.as<char>()};
  abi::Context context;
  context.arena = &job;
  std::vector<double> speeds;
  for (int i = 0; i <= samples; ++i) {
    const auto start = Clock::now();
    pool.run(read_slice, context, pool.threads(), false);
    const double read = static_cast<double>(bytes * job.passes) * pool.threads();
    if (i > 0) speeds.push_back(read / seconds_since(start) * 1e-9);  // the first one warms up
  }
  return median(std::move(speeds));
}

// Bytes of the data cache of a level as the kernel tells it, else as the C library does: of a part
// of a large processor the library takes the whole L3 for its own.
int64_t cache_size(int level, int name, int64_t otherwise) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream level_file(folder + "level"), type_file(folder + "type"),
        size_file(folder + "size");
    int found = 0;
    int64_t size = 0;
    std::string type;
    char unit = 0;
    if (!(level_file >> found) || !(type_file >> type) || !(size_file >> size >> unit)) continue;
    if (found == level && type != "Instruction") return size << (unit == 'M' ? 20 : 10);
  }
  const long size = sysconf(name);
  return size > 0 ? size : otherwise;
}

std::vector<MemoryLevel> measure_levels(const MachineKernels& kernels, runtime::ThreadPool& one,
                                        runtime::ThreadPool& all) {
  const int64_t l1 = cache_size(1, _SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  const int64_t l2 = cache_size(2, _SC_LEVEL2_CACHE_SIZE, 512 << 10);
  const int64_t l3 = cache_size(3, _SC_LEVEL3_CACHE_SIZE, 0);
  const int64_t threads = all.threads();
  std::vector<MemoryLevel> levels = {{"L1", l1, l1 / 2, 0, 0}, {"L2", l2, l2 / 2, 0, 0}};
  if (l3 > 0) levels.push_back({"L3", l3, std::max(2 * l2, l3 / (4 * threads)), 0, 0});
  levels.push_back({"memory", 0, std::max<int64_t>(64 << 20, 4 * l3 / threads), 0, 0});
  for (MemoryLevel& level : levels) {
    level.bytes = level.bytes / kernels.block_bytes * kernels.block_bytes;
    level.one = read_speed(kernels, one, level.bytes);
    level.all = threads > 1 ? read_speed(kernels, all, level.bytes) : level.one;
  }
  return levels;
}

void nothing(const abi::Context*, int64_t) {}

constexpr int barriers = 1000;

void wait_often(const abi::Context* context, int64_t thread) {
  for (int i = 0; i < barriers; ++i) context->barrier(context->barrier_state, thread);
}

// Nanoseconds of one of the `count` things that a call does.
double call_time(runtime::ThreadPool& pool, abi::EntryFn function, int calls, int count) {
  abi::Context context;
  std::vector<double> times;
  for (int i = 0; i <= 2 * samples; ++i) {
    const auto start = Clock::now();
    for (int k = 0; k < calls; ++k) pool.run(function, context, pool.threads(), false);
    if (i > 0) times.push_back(seconds_since(start) * 1e9 / calls / count);
  }
  return median(std::move(times));
}

struct HandOver {
  const MachineKernels* kernels;
  char* data;
  int64_t bytes;
  char* sink;
  std::vector<double>* give;  // GB/s
  std::vector<double>* take;
};

// Thread 1 reads the memory, thread 0 writes it, thread 1 reads it again, over and over.
void hand_over(const abi::Context* context, int64_t thread) {
  const auto& job = job_of<HandOver>(context);
  const auto wait = [&] { context->barrier(context->barrier_state, thread); };
  const auto speed = [&](Clock::time_point start) {
    return static_cast<double>(job.bytes) / seconds_since(start) * 1e-9;
  };
  for (int i = 0; i < 20 * samples; ++i) {
    wait();
    if (thread == 0) {
      const auto start = Clock::now();
      job.kernels->write(job.data, job.bytes, 1);
      job.give->push_back(speed(start));
    }
    wait();
    if (thread == 1) {
      const auto start = Clock::now();
      job.kernels->read(job.data, job.bytes, 1, job.sink);
      job.take->push_back(speed(start));
    }
  }
}

void measure_threads(const MachineKernels& kernels, runtime::ThreadPool& pool, Machine& machine) {
  machine.call_ns = call_time(pool, nothing, 200, 1);
  if (pool.threads() == 1) return;
  machine.barrier_ns = call_time(pool, wait_often, 1, barriers);
  const int64_t bytes = handed_over / kernels.block_bytes * kernels.block_bytes;
  runtime::Buffer data = runtime::Buffer::zeros(static_cast<size_t>(bytes));
  runtime::Buffer sink = runtime::Buffer::zeros(64);
  std::vector<double> give, take;
  HandOver job{&kernels, data.as<char>(), bytes, sink.as<char>(), &give, &take};
  abi::Context context;
  context.arena = &job;
  pool.run(hand_over, context, pool.threads(), false);
  machine.give_gbs = median(std::move(give));
  machine.take_gbs = median(std::move(take));
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string name, family, model;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || colon + 2 > line.size()) continue;
    const std::string value = line.substr(colon + 2);
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    if (key == "model name") name = value;
    if (key == "cpu family") family = value;
    if (key == "model") model = value;
    if (key == "CPU part" && name.empty()) name = "CPU part " + value;
  }
  if (name.empty()) name = "unknown processor";
  return family.empty() ? name : name + " (family " + family + ", model " + model + ")";
}

Machine measure_machine(const kernel::Target& target) {
  Machine machine;
  machine.cpu = cpu_name();
  machine.cores = runtime::available_cores();
  machine.isa = kernel::name_of(target.isa);
  machine.measured = std::time(nullptr);
  const MachineKernels kernels = machine_kernels(target);
  runtime::ThreadPool one(1), all(machine.cores);
  machine.peak_one = measured_peak_gflops(kernels, one, 100);
  machine.peak_all = machine.cores > 1 ? measured_peak_gflops(kernels, all, 200) : machine.peak_one;
  machine.levels = measure_levels(kernels, one, all);
  measure_threads(kernels, all, machine);
  return machine;
}

}  // namespace nnc::tool
