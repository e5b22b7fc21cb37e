#include "tests/support/graph_runner.h"

#include <barrier>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "compiler/jit/jit.h"
#include "compiler/kernel/program.h"
#include "compiler/passes/pass.h"

namespace nnc::test {

namespace {

using abi::DType;

void write(DType dtype, double value, uint8_t* to) {
  auto put = [&](auto number) { std::memcpy(to, &number, sizeof number); };
  switch (dtype) {
    case DType::f32: return put(static_cast<float>(value));
    case DType::f64: return put(value);
    case DType::i32: return put(static_cast<int32_t>(value));
    case DType::i64: return put(static_cast<int64_t>(value));
    case DType::u8: return put(static_cast<uint8_t>(value));
    case DType::boolean: return put(static_cast<uint8_t>(value != 0));
    case DType::bf16: throw std::logic_error("bf16 in a test");
  }
}

double read(DType dtype, const uint8_t* from) {
  auto get = [&](auto number) {
    std::memcpy(&number, from, sizeof number);
    return static_cast<double>(number);
  };
  switch (dtype) {
    case DType::f32: return get(float{});
    case DType::f64: return get(double{});
    case DType::i32: return get(int32_t{});
    case DType::i64: return get(int64_t{});
    case DType::u8:
    case DType::boolean: return get(uint8_t{});
    case DType::bf16: throw std::logic_error("bf16 in a test");
  }
  return 0;
}

// 64-byte aligned bytes with a guard zone of ones behind them.
struct Bytes {
  explicit Bytes(size_t size) : storage(size + 192, 0x5a) {
    data = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(storage.data()) + 63) / 64 * 64);
    std::memset(data, 0, size);
  }
  std::vector<uint8_t> storage;
  uint8_t* data = nullptr;
};

void fill(DType dtype, const ir::Tensor& tensor, uint8_t* to) {
  for (size_t i = 0; i < tensor.data.size(); ++i)
    write(dtype, tensor.data[i], to + i * abi::size_of(dtype));
}

ir::Tensor take(const ir::Type& type, int64_t rows, const uint8_t* from) {
  ir::Tensor tensor;
  for (const ir::Dim& dim : type.shape) tensor.shape.push_back(dim.extent(rows));
  tensor.data.resize(static_cast<size_t>(type.elements(rows)));
  for (size_t i = 0; i < tensor.data.size(); ++i)
    tensor.data[i] = read(type.dtype, from + i * abi::size_of(type.dtype));
  return tensor;
}

void wait(void* state, int64_t) { static_cast<std::barrier<>*>(state)->arrive_and_wait(); }

enum class Order { together, ascending, descending };

// One thread runs at a time, from barrier to barrier, in a fixed order.
class Turns {
 public:
  Turns(int threads, bool descending) : threads_(threads), descending_(descending) {}
  void start(int64_t thread) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == (descending_ ? threads_ - 1 - thread : thread); });
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    turn_ = (turn_ + 1) % threads_;
    changed_.notify_all();
  }
  static void pass(void* state, int64_t thread) {
    auto* turns = static_cast<Turns*>(state);
    turns->finish();
    turns->start(thread);
  }

 private:
  const int64_t threads_;
  const bool descending_;
  int64_t turn_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

struct Prepared {
  std::map<std::string, size_t> offsets;
  std::map<std::string, ir::Type> states;
  std::vector<Bytes> inputs, outputs;
  std::vector<ir::Type> output_types;
  std::vector<double> scalars;
  std::vector<int32_t> order;
  size_t state_bytes = 64;
};

Prepared prepare(const ir::Graph& graph, const Tensors& params, int64_t rows) {
  Prepared p;
  for (int64_t r = 0; r < rows; ++r) p.order.push_back(static_cast<int32_t>(rows - 1 - r));
  for (const ir::Param& param : graph.params) {
    const ir::Type& type = param.value->type;
    const auto bytes = static_cast<size_t>(type.elements(rows)) * abi::size_of(type.dtype);
    if (param.kind == ir::ParamKind::state) {
      p.offsets[param.external_name] = p.state_bytes;
      p.states[param.external_name] = type;
      p.state_bytes += (bytes + 127) / 64 * 64;
    } else if (param.kind == ir::ParamKind::scalar) {
      p.scalars.push_back(params.at(param.external_name).data.at(0));
    } else {
      p.inputs.emplace_back(bytes);
      const ir::Tensor& rows_in_order = params.at(param.external_name);
      const size_t row = rows > 0 ? bytes / static_cast<size_t>(rows) : 0;
      std::vector<uint8_t> packed(bytes);
      fill(type.dtype, rows_in_order, packed.data());
      for (size_t r = 0; r < static_cast<size_t>(rows); ++r)
        std::memcpy(p.inputs.back().data + (static_cast<size_t>(rows) - 1 - r) * row,
                    packed.data() + r * row, row);
    }
  }
  for (const ir::Output& output : graph.outputs) {
    p.output_types.push_back(output.value->type);
    p.outputs.emplace_back(static_cast<size_t>(output.value->type.elements(rows)) *
                           abi::size_of(output.value->type.dtype));
  }
  return p;
}

void execute(abi::EntryFn function, abi::Context& context, int threads, Order order) {
  std::barrier barrier(threads);
  Turns turns(threads, order == Order::descending);
  const bool together = order == Order::together;
  context.threads = threads;
  context.barrier = together ? wait : Turns::pass;
  context.barrier_state = together ? static_cast<void*>(&barrier) : &turns;
  auto run = [&](int thread) {
    if (!together) turns.start(thread);
    function(&context, thread);
    if (!together) turns.finish();
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back([&, t] { run(t); });
  run(0);
  for (std::thread& thread : pool) thread.join();
}

}  // namespace

namespace {

// All bytes that one execution leaves: outputs, then the state slab.
struct Execution {
  Bytes state;
  std::string bits;
};

Execution run_once(const jit::Executable& code, const kernel::LoweredProgram& program,
                   const ir::Graph& graph, const Tensors& params, int64_t rows, int threads,
                   Prepared& p, Order order = Order::together) {
  const size_t scratch =
      program.plan.arena_bytes + static_cast<size_t>(threads) * program.plan.thread_bytes;
  Bytes state(p.state_bytes), arena(scratch);
  std::memset(arena.data, 0xff, scratch);  // not a number
  for (const auto& [name, type] : p.states)
    fill(type.dtype, params.at(name), state.data + p.offsets.at(name));
  std::vector<const void*> inputs;
  std::vector<const int32_t*> orders;
  std::vector<void*> outputs;
  for (const Bytes& bytes : p.inputs) {
    inputs.push_back(bytes.data);
    orders.push_back(p.order.data());
  }
  for (const Bytes& bytes : p.outputs) outputs.push_back(bytes.data);
  abi::Context context;
  context.inputs = inputs.data();
  context.indices = orders.data();
  context.outputs = outputs.data();
  context.state = state.data;
  context.arena = arena.data;
  context.scalars = p.scalars.data();
  context.rows = rows;
  execute(reinterpret_cast<abi::EntryFn>(code.lookup(program.entry)), context, threads, order);
  Execution result{std::move(state), {}};
  for (size_t i = 0; i < outputs.size(); ++i)
    result.bits.append(reinterpret_cast<const char*>(p.outputs[i].data),
                       static_cast<size_t>(p.output_types[i].elements(rows)) *
                           abi::size_of(graph.outputs[i].value->type.dtype));
  result.bits.append(reinterpret_cast<const char*>(result.state.data), p.state_bytes);
  return result;
}

}  // namespace

Tensors run_native(const ir::Graph& original, const Tensors& params, const RunOptions& options,
                   std::string* bits) {
  const auto graph = original.clone();
  const int64_t rows = options.rows > 0 ? options.rows : graph->batch;
  Prepared p = prepare(*graph, params, rows);
  passes::PassOptions checked;
  checked.verify_each = true;
  passes::run_passes(*graph, passes::step_passes(), checked);
  const kernel::Target target = target_of(options);
  kernel::LoweredProgram program = kernel::lower_program(*graph, p.offsets, target);
  kernel::verify(program.module);
  if (options.schedules)
    for (const auto& group : program.groups) options.schedules->push_back(group.schedule);
  jit::Options jit_options;
  jit_options.target = target;
  const auto code = jit::compile(program.module, jit_options);

  const Execution run = run_once(*code, program, original, params, rows, options.threads, p);
  for (int threads : options.same_bits_threads)
    for (Order order : {Order::together, Order::ascending, Order::descending}) {
      const Execution other = run_once(*code, program, original, params, rows, threads, p, order);
      if (other.bits == run.bits) continue;
      const char* how[] = {"", ", first thread first", ", last thread first"};
      throw std::runtime_error("other bits with " + std::to_string(threads) + " threads" +
                               how[static_cast<size_t>(order)]);
    }
  if (bits) *bits = run.bits;
  Tensors results;
  for (size_t i = 0; i < p.outputs.size(); ++i)
    results[original.outputs[i].name] = take(p.output_types[i], rows, p.outputs[i].data);
  for (const auto& node : original.nodes) {
    if (node->op->family != ir::Family::state) continue;
    for (const ir::Param& param : original.params)
      if (param.value.get() == node->operands[0])
        results["state:" + param.external_name] =
            take(param.value->type, rows, run.state.data + p.offsets.at(param.external_name));
  }
  return results;
}

kernel::Target target_of(const RunOptions& options) {
  kernel::Target target = kernel::target_for(options.isa, options.core);
  if (options.l1_bytes > 0) target.l1_bytes = options.l1_bytes;
  if (options.l2_bytes > 0) target.l2_bytes = options.l2_bytes;
  return target;
}

std::vector<kernel::Isa> runnable_isas() {
  std::vector<kernel::Isa> list;
  for (kernel::Isa isa :
       {kernel::Isa::sse2, kernel::Isa::avx2, kernel::Isa::avx512, kernel::Isa::neon})
    if (kernel::host_supports(isa)) list.push_back(isa);
  return list;
}

Tensors random_params(const ir::Graph& graph, uint64_t seed, double low, double high) {
  std::mt19937_64 random(seed);
  Tensors result;
  for (const ir::Param& param : graph.params) {
    const ir::Type& type = param.value->type;
    ir::Tensor tensor;
    for (const ir::Dim& dim : type.shape) tensor.shape.push_back(dim.extent(graph.batch));
    tensor.data.resize(static_cast<size_t>(type.elements(graph.batch)));
    for (double& x : tensor.data) {
      x = low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
      if (type.dtype == DType::f32) x = static_cast<float>(x);
      if (type.dtype == DType::boolean) x = random() % 2 ? 1 : 0;
      if (!type.is_float()) x = std::round(x);
      if (type.dtype == DType::u8) x = std::abs(x);
    }
    result[param.external_name] = std::move(tensor);
  }
  return result;
}

double distance(const ir::Tensor& a, const ir::Tensor& b) {
  if (a.shape != b.shape) return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    const double x = a.data[i], y = b.data[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double d = std::abs(x - y) / std::max(1.0, std::abs(y));
    if (!(d <= largest)) largest = d;
  }
  return largest;
}

}  // namespace nnc::test
