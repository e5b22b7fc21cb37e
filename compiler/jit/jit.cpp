#include "compiler/jit/jit.h"

#include <llvm/IR/LLVMContext.h>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

#include <chrono>
#include <exception>
#include <thread>

#include "compiler/jit/build_id.h"
#include "compiler/jit/cache.h"
#include "compiler/jit/link.h"
#include "compiler/jit/machine.h"
#include "compiler/jit/merge.h"
#include "compiler/support/diagnostics.h"

namespace nnc::jit {

namespace {

class Clock {
 public:
  // Milliseconds since the last call.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double milliseconds = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return milliseconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// What one thread compiles.
struct Part {
  std::vector<const kernel::Function*> functions;
  llvm::SmallVector<char, 0> object;
  std::map<std::string, uint64_t> stack_bytes;
  ThreadTimings timings;
  std::exception_ptr failure;
};

void compile_part(Part& part, const Merged& merged, const kernel::Target& target) {
  try {
    Clock clock;
    llvm::LLVMContext context;
    context.setDiscardValueNames(true);
    auto machine = make_machine(target);
    part.timings.setup = clock.lap();
    auto module = codegen::print_llvm(part.functions, merged.callees, target,
                                      codegen::Linkage::hidden, context);
    module->setDataLayout(machine->createDataLayout());
    part.timings.print = clock.lap();
    optimize(*module, *machine);
    part.timings.optimize = clock.lap();
    part.object = generate(*module, *machine, Output::object, merged.quick, part.stack_bytes);
    part.timings.codegen = clock.lap();
  } catch (...) {
    part.failure = std::current_exception();
  }
}

// A new thread stands in line behind the one that made it until the scheduler balances the load,
// which takes 4 ms where there is a tick every 4 ms. So it is sent to the other cores at once.
void send_away([[maybe_unused]] std::thread& thread) {
#ifdef __linux__
  cpu_set_t cores;
  const int here = sched_getcpu();
  if (here < 0 || sched_getaffinity(0, sizeof cores, &cores) != 0) return;
  CPU_CLR(static_cast<size_t>(here), &cores);
  if (CPU_COUNT(&cores) == 0) return;
  pthread_setaffinity_np(thread.native_handle(), sizeof cores, &cores);  // a hint: may fail
#endif
}

std::vector<Part> compile_parts(const Merged& merged, const Options& options, Timings& timings) {
  std::vector<Part> parts;
  for (auto& functions : balance(merged.distinct, options.target, options.compile_threads)) {
    parts.emplace_back().functions = std::move(functions);
  }
  std::vector<std::thread> threads;
  threads.reserve(parts.size());
  try {
    while (threads.size() + 1 < parts.size()) {
      const size_t i = threads.size() + 1;
      threads.emplace_back([&, i] { compile_part(parts[i], merged, options.target); });
      send_away(threads.back());
    }
  } catch (const std::exception&) {
    // No more threads can be started: what is left is done here.
  }
  compile_part(parts[0], merged, options.target);
  for (size_t i = threads.size() + 1; i < parts.size(); ++i) {
    compile_part(parts[i], merged, options.target);
  }
  for (std::thread& thread : threads) thread.join();
  for (const Part& part : parts) {
    if (part.failure) std::rethrow_exception(part.failure);
    if (part.timings.total() > timings.slowest.total()) timings.slowest = part.timings;
  }
  return parts;
}

std::vector<std::string> exported_names(const kernel::Module& module) {
  std::vector<std::string> names;
  for (const auto& function : module.functions) {
    if (function->exported) names.push_back(function->name);
  }
  return names;
}

// Functions without a frame, and those that another one stands for, get their entries too.
std::map<std::string, uint64_t> all_frames(const Merged& merged,
                                           const std::map<std::string, uint64_t>& stack_bytes) {
  std::map<std::string, uint64_t> all;
  for (const auto& [name, function] : merged.callees) {
    auto found = stack_bytes.find(function->name);
    all[name] = found == stack_bytes.end() ? 0 : found->second;
  }
  return all;
}

void check_target(const kernel::Target& target) {
  internal_check(
      kernel::host_supports(target.isa),
      std::string("code for ") + kernel::name_of(target.isa) + " cannot run on this machine");
}

bool is_kept(const Options& options) { return !options.identity.empty() && !build_id().empty(); }

}  // namespace

Executable::Executable(std::unique_ptr<Code> code) : code_(std::move(code)) {}
Executable::~Executable() = default;

void* Executable::lookup(const std::string& name) const {
  auto found = code_->addresses.find(name);
  return found == code_->addresses.end() ? nullptr : found->second;
}

const std::map<std::string, uint64_t>& Executable::stack_bytes() const {
  return code_->stack_bytes;
}

std::unique_ptr<Executable> load(const std::vector<std::string>& exported, const Options& options,
                                 Timings* timings) {
  check_target(options.target);
  if (!is_kept(options)) return nullptr;
  Clock clock;
  const Cache cache(options.cache_dir, options.cache_limit_bytes);
  const CachedProgram cached = cache.read(cache_key(options.identity, options.target));
  if (timings) timings->cache += clock.lap();
  if (!cached) return nullptr;
  auto code = std::make_unique<Executable::Code>(cached.program.objects, exported);
  code->stack_bytes = cached.program.stack_bytes;
  if (timings) timings->link += clock.lap();
  return std::make_unique<Executable>(std::move(code));
}

std::unique_ptr<Executable> compile(const kernel::Module& module, const Options& options,
                                    Timings* timings) {
  check_target(options.target);
  Timings local;
  Timings& times = timings ? *timings : local;
  Clock clock;
  const Merged merged = merge(module);
  times.functions = static_cast<int>(module.functions.size());
  times.distinct = static_cast<int>(merged.distinct.size());
  times.merge = clock.lap();

  std::vector<Part> parts = compile_parts(merged, options, times);
  times.compile = clock.lap();
  Program program;
  std::map<std::string, uint64_t> frames;
  for (Part& part : parts) {
    program.objects.emplace_back(part.object.data(), part.object.size());
    frames.merge(part.stack_bytes);
  }
  program.stack_bytes = all_frames(merged, frames);
  auto code = std::make_unique<Executable::Code>(program.objects, exported_names(module));
  code->stack_bytes = program.stack_bytes;
  times.link += clock.lap();
  if (is_kept(options)) {
    const Cache cache(options.cache_dir, options.cache_limit_bytes);
    cache.write(cache_key(options.identity, options.target), program);
    times.cache += clock.lap();
  }
  return std::make_unique<Executable>(std::move(code));
}

}  // namespace nnc::jit
