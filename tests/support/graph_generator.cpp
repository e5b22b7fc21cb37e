#include "tests/support/graph_generator.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "compiler/ir/builder.h"

namespace nnc::testing {

using namespace nnc::ir;

namespace {

using Axes = std::vector<int64_t>;

class Generator {
 public:
  Generator(uint64_t seed, const GraphOptions& options)
      : random_(seed),
        options_(options),
        graph_(std::make_unique<Graph>("random", options.batch)),
        b_(*graph_) {}

  std::unique_ptr<Graph> run() {
    add_params();
    for (int i = 0; i < options_.steps; ++i) step();
    add_assigns();
    const size_t outputs = 1 + pick(4);
    for (size_t i = 0; i < outputs; ++i) {
      Value* value = i == 0 ? pool_.back() : any();
      graph_->add_output("out" + std::to_string(i), value);
    }
    graph_->remove_dead();
    return std::move(graph_);
  }

 private:
  size_t pick(size_t n) { return static_cast<size_t>(random_() % n); }
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  Value* any() { return pool_[pick(pool_.size())]; }
  int64_t size() {
    static const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 19, 31, 33, 48, 67, 130, 210};
    return sizes[pick(chance(30) ? 17 : 12)];
  }
  int64_t elements(const Shape& shape) {
    return Type{options_.dtype, shape}.elements(options_.batch);
  }
  bool small(const Shape& shape) {
    return elements(shape) <= options_.max_elements && shape.size() <= 5;
  }
  Shape random_shape(bool batch) {
    for (;;) {
      Shape shape;
      if (batch) shape.push_back({1, true});
      for (size_t i = pick(4); i > 0; --i) shape.push_back({size(), false});
      if (small(shape)) return shape;
    }
  }

  // Values are kept within about [-4, 4].
  Value* keep(Value* value, double bound = 1) {
    if (bound > 4) value = b_.mul(value, 1 / bound);
    pool_.push_back(value);
    return value;
  }
  Value* bounded(Value* value) { return chance(50) ? b_.unary("tanh", value) : b_.mul(value, 0.5); }

  Value* state(const Shape& shape) {
    const std::string name = "s" + std::to_string(states_.size());
    Value* value = graph_->add_param(ParamKind::state, name, {options_.dtype, shape}, name);
    states_.push_back(value);
    return value;
  }
  Value* input(const Shape& shape) {
    const std::string name = "x" + std::to_string(fields_++);
    return graph_->add_param(ParamKind::input, name, {options_.dtype, shape}, name);
  }

  void add_params() {
    for (size_t i = 1 + pick(3); i > 0; --i) pool_.push_back(input(random_shape(true)));
    for (size_t i = 1 + pick(3); i > 0; --i) pool_.push_back(state(random_shape(false)));
    if (chance(40)) pool_.push_back(state(states_.back()->type.shape));
    if (chance(50)) {
      const DType dtype = chance(50) ? DType::u8 : DType::i32;
      Value* raw = graph_->add_param(ParamKind::input, "raw", {dtype, random_shape(true)}, "raw");
      pool_.push_back(b_.cast(raw, options_.dtype));
    }
    if (chance(60))
      pool_.push_back(graph_->add_param(ParamKind::scalar, "rate", {options_.dtype, {}}, "rate"));
  }

  void step() {
    switch (pick(13)) {
      case 0: return unary();
      case 1:
      case 2: return binary();
      case 3: return spread();
      case 4: return slice();
      case 5: return transpose();
      case 6: return reshape();
      case 7:
      case 8: return reduce();
      case 9:
      case 10: return contract();
      case 11: return window();
      default: return chance(50) ? place() : generate();
    }
  }

  void unary() {
    static const char* names[] = {"tanh", "sigmoid", "relu", "neg", "abs", "softplus", "sin"};
    Value* v = any();
    if (chance(20)) return void(keep(b_.unary("exp", b_.unary("tanh", v))));
    keep(bounded(b_.unary(names[pick(7)], v)));
  }

  // A value that can stand beside `v`: of its shape, or spread to it.
  Value* partner(Value* v) {
    std::vector<Value*> same;
    for (Value* other : pool_)
      if (other != v && other->type.shape == v->type.shape) same.push_back(other);
    if (!same.empty() && chance(60)) return same[pick(same.size())];
    std::vector<std::pair<Value*, Axes>> fitting;
    for (Value* other : pool_) {
      Axes axes;
      if (embeds(other->type.shape, v->type.shape, axes)) fitting.emplace_back(other, axes);
    }
    if (!fitting.empty() && chance(70)) {
      const auto& [other, axes] = fitting[pick(fitting.size())];
      return b_.broadcast(other, v->type.shape, axes);
    }
    Shape kept;
    Axes axes;
    for (size_t i = 0; i < v->type.shape.size(); ++i)
      if (!v->type.shape[i].batch && chance(60)) {
        kept.push_back(v->type.shape[i]);
        axes.push_back(static_cast<int64_t>(i));
      }
    return b_.broadcast(state(kept), v->type.shape, axes);
  }

  // Whether the dimensions of `part` occur in `whole` in order; a random choice of places.
  bool embeds(const Shape& part, const Shape& whole, Axes& axes) {
    size_t at = 0;
    for (const Dim& dim : part) {
      std::vector<size_t> places;
      for (size_t i = at; i < whole.size(); ++i)
        if (whole[i] == dim || dim == Dim{}) places.push_back(i);
      if (places.empty()) return false;
      at = chance(70) ? places.front() : places[pick(places.size())];
      axes.push_back(static_cast<int64_t>(at++));
    }
    return true;
  }

  void binary() {
    static const char* names[] = {"add", "sub", "mul", "max", "min"};
    Value* a = any();
    Value* c = partner(a);
    if (chance(20)) {  // a*b + c and c - a*b
      Value* product = b_.mul(a, c);
      return void(keep(bounded(chance(50) ? b_.add(product, a) : b_.sub(c, product))));
    }
    if (chance(15)) return void(keep(b_.select(b_.compare("lt", a, c), a, c)));
    keep(bounded(b_.op(names[pick(5)], {a, c})));
  }

  void spread() {
    Value* v = any();
    Shape shape;
    Axes axes;
    for (const Dim& dim : v->type.shape) {
      if (chance(35)) shape.push_back({size(), false});
      axes.push_back(static_cast<int64_t>(shape.size()));
      shape.push_back(dim == Dim{} && chance(60) ? Dim{size(), false} : dim);
    }
    if (!has_batch(shape) && chance(40)) shape.push_back({1, true});
    if (!small(shape)) return;
    keep(b_.broadcast(v, shape, axes));
  }

  void slice() {
    Value* v = any();
    Axes starts, steps;
    Shape sizes;
    for (const Dim& dim : v->type.shape) {
      const int64_t step = dim.batch || chance(60) ? 1 : 1 + static_cast<int64_t>(pick(3));
      const int64_t start =
          dim.batch ? 0 : static_cast<int64_t>(pick(static_cast<size_t>((dim.size + 1) / 2)));
      const int64_t most = (dim.size - start + step - 1) / step;
      starts.push_back(start);
      steps.push_back(step);
      sizes.push_back(dim.batch ? dim : Dim{most - (most > 1 && chance(40) ? 1 : 0), false});
    }
    for (size_t i = 0; i < steps.size(); ++i) {
      if (sizes[i].batch || !chance(15)) continue;  // backwards
      starts[i] += (sizes[i].size - 1) * steps[i];
      steps[i] = -steps[i];
    }
    if (!starts.empty()) keep(b_.slice(v, starts, sizes, steps));
  }

  // Windows along some axes, and perhaps what is made of them put back.
  void window() {
    Value* v = any();
    Axes axes, size, stride, dilation, extent;
    for (int64_t i = 0; i < v->type.rank() && axes.size() < 2; ++i) {
      const Dim& dim = v->type.shape[static_cast<size_t>(i)];
      if (dim.batch || chance(40)) continue;
      axes.push_back(i);
      extent.push_back(dim.size);
      dilation.push_back(chance(75) ? 1 : 2);
      const int64_t most = std::min<int64_t>(3, (dim.size - 1) / dilation.back() + 1);
      size.push_back(1 + static_cast<int64_t>(pick(static_cast<size_t>(most))));
      stride.push_back(chance(30) ? size.back() : 1 + static_cast<int64_t>(pick(2)));
    }
    if (axes.empty() || !small(v->type.shape) || v->type.rank() > 4) return;
    Value* windows =
        b_.op("window", {v},
              {{"axes", axes}, {"size", size}, {"stride", stride}, {"dilation", dilation}});
    if (chance(60)) keep(windows);
    if (chance(40)) return;
    if (chance(50)) windows = b_.unary("tanh", windows);
    int64_t taps = 1;
    for (int64_t count : size) taps *= count;
    keep(b_.op("fold", {windows},
               {{"axes", axes}, {"stride", stride}, {"dilation", dilation}, {"extent", extent}}),
         static_cast<double>(4 * taps));
  }

  Axes shuffled(size_t count) {
    Axes order(count);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    return order;
  }

  void transpose() {
    Value* v = any();
    if (v->type.rank() > 1) keep(b_.transpose(v, shuffled(v->type.shape.size())));
  }

  // Joins two neighbours or splits one dimension.
  void reshape() {
    Value* v = any();
    Shape shape = v->type.shape;
    const auto place = [&](size_t i) { return shape.begin() + static_cast<std::ptrdiff_t>(i); };
    if (shape.size() > 1 && chance(60)) {
      const size_t i = pick(shape.size() - 1);
      shape[i] = {shape[i].size * shape[i + 1].size, shape[i].batch || shape[i + 1].batch};
      shape.erase(place(i + 1));
    } else if (!shape.empty() && shape.size() < 5) {
      const size_t i = pick(shape.size());
      for (int64_t factor : {4, 3, 2, 7, 1})
        if (shape[i].size % factor == 0) {
          const Dim rest{shape[i].size / factor, shape[i].batch};
          const bool first = chance(50);
          shape[i] = first ? Dim{factor, false} : rest;
          shape.insert(place(i + 1), first ? rest : Dim{factor, false});
          break;
        }
    }
    keep(b_.reshape(v, shape));
  }

  void reduce() {
    Value* v = any();
    Axes axes;
    for (int64_t i = 0; i < v->type.rank(); ++i)
      if (chance(50)) axes.push_back(i);
    if (axes.empty()) return;
    static const char* names[] = {"reduce_sum", "reduce_sum", "reduce_max", "reduce_min"};
    const char* name = names[pick(4)];
    Value* r = b_.reduce(name, v, axes, chance(20));
    const int64_t count = elements(v->type.shape) / std::max<int64_t>(1, elements(r->type.shape));
    if (name == names[0]) r = b_.mul(r, 1 / static_cast<double>(count));
    keep(r);
    if (chance(40) && r->type.rank() + static_cast<int>(axes.size()) == v->type.rank()) {
      Axes kept;  // softmax and normalisation go back over the row
      for (int64_t i = 0; i < v->type.rank(); ++i)
        if (std::count(axes.begin(), axes.end(), i) == 0) kept.push_back(i);
      keep(bounded(b_.sub(v, b_.broadcast(r, v->type.shape, kept))));
    }
  }

  enum class Role { summed, batch, free };

  void contract();
  Value* other_side(const Shape& shape);
  void place();
  void generate();
  void add_assigns();
  void assign_random(Value* state);

  std::mt19937_64 random_;
  GraphOptions options_;
  std::unique_ptr<Graph> graph_;
  Builder b_;
  std::vector<Value*> pool_, states_;
  std::set<Value*> assigned_;
  int fields_ = 0;
};

// The second operand of a contraction: a value at hand, a state, or a moved field.
Value* Generator::other_side(const Shape& shape) {
  std::vector<Value*> fitting;
  for (Value* v : pool_)
    if (v->type.shape == shape) fitting.push_back(v);
  if (!fitting.empty() && chance(60)) return fitting[pick(fitting.size())];
  if (!has_batch(shape)) return state(shape);
  Shape rows{{1, true}};
  Axes order(shape.size());
  int64_t next = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].batch && shape[i].size != 1) return nullptr;
    order[i] = shape[i].batch ? 0 : next++;
    if (!shape[i].batch) rows.push_back(shape[i]);
  }
  Value* v = input(rows);
  if (chance(50)) v = b_.unary("tanh", v);
  return b_.transpose(v, order);
}

void Generator::contract() {
  Value* a = any();
  const size_t rank = a->type.shape.size();
  Axes summed, batch;
  Shape free;
  bool batch_rows_free = false;
  for (size_t i = 0; i < rank; ++i) {
    const auto role = static_cast<Role>(pick(3));
    if (role == Role::summed) summed.push_back(static_cast<int64_t>(i));
    if (role == Role::batch) batch.push_back(static_cast<int64_t>(i));
    if (role == Role::free) batch_rows_free = batch_rows_free || a->type.shape[i].batch;
  }
  std::shuffle(summed.begin(), summed.end(), random_);
  std::shuffle(batch.begin(), batch.end(), random_);
  for (size_t i = pick(3); i > 0; --i) free.push_back({size(), false});
  if (!has_batch(a->type.shape) && chance(50)) free.push_back({1, true});
  // The other operand has its dimensions in any order.
  const Axes order = shuffled(summed.size() + batch.size() + free.size());
  Shape shape(order.size());
  Axes rhs, rhs_batch;
  size_t next = 0;
  int64_t terms = 1;
  for (int64_t axis : summed) {
    const Dim& dim = a->type.shape[static_cast<size_t>(axis)];
    terms *= dim.extent(options_.batch);
    rhs.push_back(order[next]);
    shape[static_cast<size_t>(order[next++])] = dim;
  }
  for (int64_t axis : batch) {
    rhs_batch.push_back(order[next]);
    shape[static_cast<size_t>(order[next++])] = a->type.shape[static_cast<size_t>(axis)];
  }
  int64_t result = terms > 0 ? elements(a->type.shape) / terms : 0;
  for (const Dim& dim : free) {
    result *= dim.extent(options_.batch);
    shape[static_cast<size_t>(order[next++])] = dim;
  }
  if (!small(shape) || result > options_.max_elements || result * terms > 300000) return;
  Value* b = other_side(shape);
  if (!b) return;
  Value* product = chance(85) || (batch_rows_free && has_batch(shape))
                       ? b_.contract(a, b, summed, rhs, batch, rhs_batch)
                       : b_.contract(b, a, rhs, summed, rhs_batch, batch);
  product = b_.mul(product, 2 / static_cast<double>(terms + 1));
  if (product->type.rank() > 0 && chance(50))  // a bias and an activation
    product = b_.unary("relu", b_.add(product, partner(product)));
  keep(product);
}

void Generator::place() {
  Value* v = any();
  Axes low, high;
  for (size_t i = 0; i < v->type.shape.size(); ++i) {
    const bool fixed = !v->type.shape[i].batch;
    low.push_back(fixed ? static_cast<int64_t>(pick(3)) : 0);
    high.push_back(fixed ? static_cast<int64_t>(pick(3)) : 0);
  }
  if (low.empty() || !small(v->type.shape)) return;
  if (chance(50)) return void(keep(b_.pad(v, low, high, 0.25)));
  const size_t axis = pick(v->type.shape.size());
  if (v->type.shape[axis].batch) return;
  std::vector<Value*> parts{v};
  for (Value* other : pool_) {
    Shape shape = other->type.shape;
    if (shape.size() != v->type.shape.size() || shape[axis].batch) continue;
    shape[axis] = v->type.shape[axis];
    if (shape == v->type.shape && parts.size() < 4) parts.push_back(other);
  }
  keep(b_.concat(parts, static_cast<int64_t>(axis)));
}

// Index-dependent numbers, seen directly or through a movement.
void Generator::generate() {
  Value* v = any();
  if (v->type.rank() == 0) return;
  const size_t axis = pick(v->type.shape.size());
  Value* index = nullptr;
  if (chance(50)) {
    index = b_.iota(v->type.shape, static_cast<int64_t>(axis), options_.dtype);
  } else {
    const Dim& dim = v->type.shape[axis];
    if (dim.batch) return;
    index = b_.iota({{dim.size * 2, false}}, 0, options_.dtype);
    if (chance(50)) {
      index = b_.slice(index, {1}, {dim}, {2});
    } else {
      index = b_.slice(b_.reshape(index, {dim, {2, false}}), {0, 1}, {dim, {1, false}});
      index = b_.reshape(index, {dim});
    }
    index = b_.broadcast(index, v->type.shape, {static_cast<int64_t>(axis)});
  }
  keep(bounded(b_.add(v, b_.mul(index, 1.0 / 64))));
}

void Generator::assign_random(Value* state) {
  if (!assigned_.insert(state).second) return;
  std::vector<Value*> same;
  for (Value* v : pool_)
    if (v->type == state->type) same.push_back(v);
  Value* value = same.empty() || chance(40) ? bounded(b_.add(b_.mul(state, 0.75), partner(state)))
                                            : same[pick(same.size())];
  if (chance(20) && state->type.rank() == 2 && state->type.shape[0] == state->type.shape[1])
    value = b_.add(value, b_.transpose(state, {1, 0}));
  if (chance(10)) value = b_.constant_like(0.5, state);
  b_.assign(state, value);
  if (chance(30)) pool_.push_back(bounded(b_.add(value, state)));  // old and new side by side
  if (chance(30)) graph_->add_output("new_" + state->name, value);
  if (chance(20)) pool_.push_back(value);
}

void Generator::add_assigns() {
  const std::vector<Value*> states = states_;
  for (Value* a : states)
    for (Value* b : states)
      if (a != b && a->type == b->type && chance(25) && !assigned_.count(a) &&
          !assigned_.count(b)) {
        b_.assign(a, b);  // two states swap
        b_.assign(b, chance(50) ? a : bounded(b_.add(a, b)));
        assigned_.insert(a);
        assigned_.insert(b);
      }
  for (Value* state : states)
    if (chance(50)) assign_random(state);
}

}  // namespace

std::unique_ptr<Graph> generate_graph(uint64_t seed, const GraphOptions& options) {
  return Generator(seed, options).run();
}

GraphOptions random_options(uint64_t seed) {
  std::mt19937_64 random(seed * 7919 + 1);
  GraphOptions options;
  options.dtype = random() % 3 == 0 ? DType::f64 : DType::f32;
  options.batch = 1 + static_cast<int64_t>(random() % 40);
  options.steps = 3 + static_cast<int>(random() % 14);
  if (random() % 5 == 0) options.max_elements = 20000;
  return options;
}

}  // namespace nnc::testing
