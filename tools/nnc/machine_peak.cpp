#include "tools/nnc/machine_peak.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "compiler/jit/jit.h"
#include "compiler/kernel/builder.h"
#include "runtime/memory.h"

namespace nnc::tool {

namespace {

constexpr int64_t rounds = 100000;
constexpr int chains = 12;  // latency 4 at two multiply-adds a cycle needs 8; registers allow 13

// entry(context, thread): `chains` vectors, each x <- x * a + b, `rounds` times. The result goes to
// the thread's own cache line of the scratch arena, so that nothing can be left out.
kernel::Module peak_module(const kernel::Target& target) {
  using namespace kernel;
  Module module;
  module.name = "peak";
  module.functions.push_back(std::make_unique<Function>());
  Function& function = *module.functions.back();
  function.name = "peak";
  function.exported = true;
  function.comment = "chains of multiply-adds in registers";
  Builder b(function);
  const Value context = b.param("context", {Scalar::ptr, 1});
  const Value thread = b.param("thread", {Scalar::i64, 1});
  const Type vector{Scalar::f32, target.lanes(4)};
  const Value arena =
      b.load({Scalar::ptr, 1}, context, b.i64(static_cast<int>(abi::ContextField::arena)));
  const Value own = b.offset(arena, b.mul(thread, b.i64(64)));
  const Value a = b.constant(vector, 0.999);
  const Value c = b.constant(vector, 0.001);
  std::vector<Value> initial;
  for (int i = 0; i < chains; ++i) initial.push_back(b.constant(vector, 0.5 + 0.01 * i));
  const auto sums =
      b.loop(b.i64(0), b.i64(rounds), b.i64(1), initial, [&](Value, const std::vector<Value>& x) {
        std::vector<Value> next;
        for (const Value& value : x) next.push_back(b.muladd(value, a, c));
        return next;
      });
  Value total = sums[0];
  for (size_t i = 1; i < sums.size(); ++i) total = b.add(total, sums[i]);
  b.store(total, own, b.i64(0));
  return module;
}

}  // namespace

double measured_peak_gflops(const kernel::Target& target, runtime::ThreadPool& pool) {
  const kernel::Module module = peak_module(target);
  jit::Options options;
  options.target = target;
  options.cache = false;
  const auto code = jit::compile(module, options);
  const auto function = reinterpret_cast<abi::EntryFn>(code->lookup("peak"));
  runtime::Buffer arena = runtime::Buffer::zeros(64 * static_cast<size_t>(pool.threads()));
  abi::Context context;
  context.arena = arena.data();
  const double flops =
      2.0 * rounds * chains * target.lanes(4) * static_cast<double>(pool.threads());
  double best = 0;
  for (int run = 0; run < 200; ++run) {
    const auto start = std::chrono::steady_clock::now();
    pool.run(function, context, pool.threads(), false);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, flops / seconds.count() * 1e-9);
  }
  return best;
}

}  // namespace nnc::tool
