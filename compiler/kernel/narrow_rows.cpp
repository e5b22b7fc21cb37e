// The columns of 16 rows are gone through in loops, one for each reduction that waits for another
// one: the code of a softmax is as short for ten classes as for two. What a later loop asks for
// again is kept in the scratch memory, [columns][16 rows] for each value. A handful of columns are
// written out and stay in registers.
#include "compiler/kernel/narrow_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/kernel/lower_reduce.h"
#include "compiler/kernel/transpose.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::DType;
using ir::Family;
using ir::Node;

namespace {

bool is_kept_type(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::i32;
}

bool is_real(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

constexpr int64_t few_columns = 4;

// One loop over the columns.
struct Pass {
  std::vector<const Node*> reductions;   // none: the last one, which computes outputs
  std::vector<const ir::Value*> roots;   // what it computes of each column
  std::vector<const ir::Value*> rows;    // one number a row: computed before the loop
  std::vector<const ir::Value*> loaded;  // kept by an earlier pass
  std::vector<const ir::Value*> kept;    // for a later one
};

class NarrowPlan {
 public:
  NarrowPlan(const GroupContext& context, const GroupShape& shape)
      : context_(context), region_(*context.node.region), shape_(shape) {
    find_turned();
    int levels = 0;
    for (const Node* r : shape.reductions) levels = std::max(levels, level_.of(r->result()));
    for (int now = 1; now <= levels; ++now) add_pass(reductions_of(now));
    for (const ir::Output& output : region_.outputs)
      if (is_full(output.value)) full_outputs.push_back(output.value);
    if (!full_outputs.empty()) add_pass({});
    place_outputs();
    for (const Pass& pass : passes) share_start(pass);
    for (const ir::Value* value : turned)
      start_ = std::max(start_, lines_bytes(value, logical_lanes));
    for (const ir::Value* value : full_outputs)
      start_ = std::max(start_, lines_bytes(value, logical_lanes));
  }

  bool is_full(const ir::Value* value) const { return value->type.shape == shape_.space; }
  int64_t columns() const { return shape_.space.back().size; }
  // Rows lie side by side in memory: so few are read and written as one run, under a mask.
  bool few() const { return columns() <= few_columns && context_.target.masks; }

  std::vector<Pass> passes;
  std::vector<const ir::Value*> turned;  // operands that are read row by row and turned
  std::vector<const ir::Value*> full_outputs;
  // In the scratch memory, in bytes. Its start holds first the rows that are read, then what the
  // reductions of a pass fold of each column, then the rows that are written.
  int64_t place(const ir::Value* value) const { return start_ + places_.at(value); }
  std::map<const Node*, int64_t> folded;
  int64_t bytes() const { return few() ? 0 : start_ + kept_; }

 private:
  static int64_t lines_bytes(const ir::Value* value, int64_t lines) {
    return lines * logical_lanes * bytes_of(scalar_of(value->type.dtype));
  }

  void place_once(const ir::Value* value) {
    if (places_.emplace(value, kept_).second) kept_ += lines_bytes(value, columns());
  }

  // What the last pass has read of a column may be overwritten by what it computes of it.
  void place_outputs() {
    std::vector<std::pair<const ir::Value*, int64_t>> free(places_.begin(), places_.end());
    std::sort(free.begin(), free.end(),
              [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const ir::Value* output : full_outputs) {
      if (places_.count(output)) continue;
      const auto fits = std::find_if(free.begin(), free.end(), [&](const auto& entry) {
        return entry.first->type.dtype == output->type.dtype && !is_output(entry.first);
      });
      if (fits == free.end()) {
        place_once(output);
      } else {
        places_[output] = fits->second;
        free.erase(fits);
      }
    }
  }

  bool is_output(const ir::Value* value) const {
    return std::count(full_outputs.begin(), full_outputs.end(), value) > 0;
  }

  void share_start(const Pass& pass) {
    int64_t end = 0;
    for (const Node* r : pass.reductions) {
      folded[r] = end;
      end += lines_bytes(r->result(), columns());
    }
    start_ = std::max(start_, end);
  }

  void find_turned() {
    for (size_t p = 0; p < region_.params.size(); ++p) {
      const ir::Value* param = region_.params[p].value.get();
      if (context_.operands[p] != OperandKind::memory || !is_full(param) ||
          !is_real(param->type.dtype))
        continue;
      turned.push_back(param);
      place_once(param);
    }
  }

  std::vector<const Node*> reductions_of(int level) {
    std::vector<const Node*> list;
    for (const Node* r : shape_.reductions)
      if (level_.of(r->result()) == level) list.push_back(r);
    return list;
  }

  void add_pass(const std::vector<const Node*>& reductions) {
    Pass pass;
    pass.reductions = reductions;
    for (const Node* r : reductions) pass.roots.push_back(r->operands[0]);
    if (reductions.empty()) pass.roots = full_outputs;
    passes.push_back(std::move(pass));
    std::set<const ir::Value*> seen;
    for (const ir::Value* root : passes.back().roots) need(root, seen);
  }

  // Without the elements of a row: one number for each row, or for all.
  bool is_of_row(const ir::Value* value) const {
    const auto& shape = value->type.shape;
    return std::all_of(shape.begin(), shape.end(), [&](const ir::Dim& dim) {
      return dim == ir::Dim{} || (dim == shape_.space[0] && &dim == &shape.front());
    });
  }

  // What the pass that is planned has to have of each column to compute `value`.
  void need(const ir::Value* value, std::set<const ir::Value*>& seen) {
    if (!seen.insert(value).second) return;
    Pass& pass = passes.back();
    if (is_of_row(value)) return pass.rows.push_back(value);
    if (std::count(turned.begin(), turned.end(), value)) return pass.loaded.push_back(value);
    const ir::Value* base = base_of(value);
    const bool spread = base != value && (is_of_row(base) || base->type.rank() == 0);
    if (spread) return need(base, seen);
    if (value->node && value->node->op->family == Family::generator) return;
    const auto first = first_.emplace(value, passes.size() - 1).first->second;
    if (first + 1 < passes.size() && is_kept_type(value->type.dtype)) return keep(value, first);
    if (!value->node || value->node->op->family != Family::elementwise) return;
    for (const ir::Value* operand : value->node->operands) need(operand, seen);
  }

  void keep(const ir::Value* value, size_t first) {
    passes.back().loaded.push_back(value);
    std::vector<const ir::Value*>& kept = passes[first].kept;
    if (!std::count(kept.begin(), kept.end(), value)) kept.push_back(value);
    place_once(value);
  }

  const GroupContext& context_;
  const ir::Graph& region_;
  const GroupShape& shape_;
  Levels level_;
  std::map<const ir::Value*, int64_t> places_;  // after the start
  int64_t start_ = 0;                           // bytes of it
  int64_t kept_ = 0;                            // bytes after it
  std::map<const ir::Value*, size_t> first_;    // the pass that computes it first
};

class NarrowRows {
 public:
  explicit NarrowRows(KernelScope& s) : s_(s), k_(s.k), plan_(s.context, s.shape) {}

  void run() {
    k_.loop(s_.begin, s_.end, k_.i64(logical_lanes), [&](Value first) {
      s_.e.open_scope();
      first_ = first;
      count_ = k_.min(k_.sub(s_.end, first), k_.i64(logical_lanes));
      for (const ir::Value* value : plan_.turned) read(value);
      const Value mask = first_lanes(k_, logical_lanes, count_);
      s_.e.set_mask(mask);
      for (const Pass& pass : plan_.passes) write_pass(pass);
      const std::vector<Value> row_values = emit_row_values();
      s_.e.set_mask({});
      for (size_t o = 0; o < s_.region.outputs.size(); ++o)
        if (plan_.is_full(s_.region.outputs[o].value)) write(o);
      s_.e.set_mask(mask);
      store_row_values(row_values);
      s_.e.set_mask({});
      s_.e.close_scope();
    });
  }

 private:
  static Type vector_of(const ir::Value* value) {
    return {scalar_of(value->type.dtype), logical_lanes};
  }

  Value load(Type type, int64_t place, Value line) {
    if (plan_.few()) return registers_.at({place, *k_.known(line)});
    return k_.load(type, s_.scratch, index(type, place, line));
  }

  void store(Value value, int64_t place, Value line) {
    if (plan_.few()) {
      registers_[{place, *k_.known(line)}] = value;
      return;
    }
    k_.store(value, s_.scratch, index(value.type, place, line));
  }

  Value index(Type type, int64_t place, Value line) {
    return k_.add(k_.mul(line, k_.i64(logical_lanes)), k_.i64(place / bytes_of(type.scalar)));
  }

  // Column j of the 16 rows; dimensions of one element stand between.
  Coordinates column(Value j) const {
    Coordinates at(s_.shape.space.size());
    at.front() = {first_, 0, true};
    const auto known = k_.known(j);
    at.back() = known ? Coordinate{{}, *known, false} : Coordinate{j, 0, false};
    return at;
  }

  // Row r of the 16.
  Coordinates row(Value r) {
    Coordinates at(s_.shape.space.size());
    at.front() = {k_.add(first_, r), 0, false};
    at.back().lane = true;
    return at;
  }

  Coordinates row_numbers(const ir::Value* value) const {
    Coordinates at;
    for (const ir::Dim& dim : value->type.shape)
      at.push_back(dim == ir::Dim{} ? Coordinate{} : Coordinate{first_, 0, true});
    return at;
  }

  // The rows that there are, each with its elements in the lanes.
  void each_row(const std::function<void(Value)>& body) {
    const Value columns = k_.i64(plan_.columns());
    const Value mask =
        plan_.columns() == logical_lanes ? Value{} : first_lanes(k_, logical_lanes, columns);
    k_.loop(k_.i64(0), count_, k_.i64(1), [&](Value r) {
      s_.e.open_scope();
      s_.e.set_mask(mask);
      body(r);
      s_.e.set_mask({});
      s_.e.close_scope();
    });
  }

  // Vectors that hold the rows of `value` as they lie in memory; body(vector, place, mask).
  void each_run(const std::function<void(int64_t, Value, Value)>& body) {
    const Value columns = k_.i64(plan_.columns());
    const Value all = k_.mul(count_, columns), first = k_.mul(first_, columns);
    for (int64_t v = 0; v < plan_.columns(); ++v) {
      const Value before = k_.i64(v * logical_lanes);
      body(v, k_.add(first, before), first_lanes(k_, logical_lanes, k_.sub(all, before)));
    }
  }

  // A vector whose lane i is element lane(i) of a list of vectors.
  Value gathered(const std::vector<Value>& from, const std::function<int64_t(int64_t)>& lane) {
    Value result = from[0];
    for (size_t v = 1; v < from.size(); ++v) {
      std::vector<int> lanes;
      for (int64_t i = 0; i < logical_lanes; ++i) {
        const int64_t element = lane(i), source = element / logical_lanes;
        const int64_t before = v == 1 && source == 0 ? element : i;
        const bool here = source == static_cast<int64_t>(v);
        lanes.push_back(static_cast<int>(here ? logical_lanes + element % logical_lanes : before));
      }
      result = k_.shuffle(result, from[v], lanes);
    }
    return result;
  }

  void read_run(const ir::Value* value) {
    std::vector<Value> run;
    each_run([&](int64_t, Value place, Value mask) {
      run.push_back(k_.load(vector_of(value), s_.e.buffer(value).pointer, place, mask));
    });
    const int64_t columns = plan_.columns();
    for (int64_t j = 0; j < columns; ++j)
      store(gathered(run, [&](int64_t row) { return row * columns + j; }), plan_.place(value),
            k_.i64(j));
  }

  void write_run(size_t output) {
    const ir::Value* value = s_.region.outputs[output].value;
    const int64_t columns = plan_.columns();
    std::vector<Value> lines;
    for (int64_t j = 0; j < columns; ++j)
      lines.push_back(load(vector_of(value), plan_.place(value), k_.i64(j)));
    each_run([&](int64_t v, Value place, Value mask) {
      const Value run = gathered(lines, [&](int64_t i) {
        const int64_t element = v * logical_lanes + i;
        return element % columns * logical_lanes + element / columns;
      });
      k_.store(run, s_.outputs[output].pointer, place, mask);
    });
  }

  void read(const ir::Value* value) {
    if (plan_.few()) return read_run(value);
    each_row([&](Value r) { store(s_.e.emit(value, row(r)), 0, r); });
    std::vector<Value> lines;
    for (int64_t r = 0; r < logical_lanes; ++r)
      lines.push_back(load(vector_of(value), 0, k_.i64(r)));
    transpose_registers(k_, lines);
    for (int64_t j = 0; j < plan_.columns(); ++j)
      store(lines[static_cast<size_t>(j)], plan_.place(value), k_.i64(j));
  }

  void write(size_t output) {
    if (plan_.few()) return write_run(output);
    const ir::Value* value = s_.region.outputs[output].value;
    std::vector<Value> lines;
    for (int64_t j = 0; j < plan_.columns(); ++j)
      lines.push_back(load(vector_of(value), plan_.place(value), k_.i64(j)));
    lines.resize(logical_lanes, lines.front());
    transpose_registers(k_, lines);
    for (int64_t r = 0; r < logical_lanes; ++r) store(lines[static_cast<size_t>(r)], 0, k_.i64(r));
    each_row([&](Value r) {
      s_.e.store(load(vector_of(value), 0, r), value->type, s_.outputs[output], row(r));
    });
  }

  void each_column(const std::function<void(Value)>& body) {
    if (!plan_.few()) return k_.loop(k_.i64(0), k_.i64(plan_.columns()), k_.i64(1), body);
    for (int64_t j = 0; j < plan_.columns(); ++j) body(k_.i64(j));
  }

  void write_pass(const Pass& pass) {
    for (const ir::Value* value : pass.rows) s_.e.emit(value, row_numbers(value));
    each_column([&](Value j) {
      s_.e.open_scope();
      const Coordinates at = column(j);
      for (const ir::Value* value : pass.loaded)
        s_.e.bind_at(value, at, load(vector_of(value), plan_.place(value), j));
      for (size_t i = 0; i < pass.roots.size(); ++i) {
        const Value x = s_.e.emit_vector(pass.roots[i], at);
        if (pass.reductions.empty()) {
          store(x, plan_.place(pass.roots[i]), j);
        } else {
          const Node& r = *pass.reductions[i];
          store(combine(s_, r, identity(s_, r, logical_lanes), x), plan_.folded.at(&r), j);
        }
      }
      for (const ir::Value* value : pass.kept)
        store(s_.e.emit_vector(value, at), plan_.place(value), j);
      s_.e.close_scope();
    });
    for (const Node* r : pass.reductions) s_.e.bind(r->result(), fold(*r));
  }

  // The same tree over the same 16 places as for one row, so the same bits: what is not there
  // changes nothing.
  Value fold(const Node& reduction) {
    std::vector<Value> terms;
    for (int64_t j = 0; j < plan_.columns(); ++j)
      terms.push_back(load(vector_of(reduction.result()), plan_.folded.at(&reduction), k_.i64(j)));
    for (size_t half = logical_lanes / 2; half > 0; half /= 2)
      for (size_t i = 0; i < half && i + half < terms.size(); ++i)
        terms[i] = combine(s_, reduction, terms[i], terms[i + half]);
    return terms[0];
  }

  // All are computed before the first is stored, as in KernelScope::store_outputs.
  std::vector<Value> emit_row_values() {
    std::vector<Value> codes;
    for (const ir::Output& output : s_.region.outputs)
      codes.push_back(plan_.is_full(output.value)
                          ? Value{}
                          : s_.e.emit(output.value, row_numbers(output.value)));
    return codes;
  }

  void store_row_values(const std::vector<Value>& codes) {
    for (size_t o = 0; o < codes.size(); ++o) {
      const ir::Value* value = s_.region.outputs[o].value;
      if (codes[o]) s_.e.store(codes[o], value->type, s_.outputs[o], row_numbers(value));
    }
  }

  KernelScope& s_;
  Builder& k_;
  const NarrowPlan plan_;
  Value first_, count_;                                     // of the 16 rows
  std::map<std::pair<int64_t, int64_t>, Value> registers_;  // by place and column, if there are few
};

}  // namespace

bool are_narrow_rows(const GroupContext& context, const GroupShape& shape) {
  const ir::Shape& space = shape.space;
  const auto kept = static_cast<long>(space.size() - shape.axes.size());
  const bool one_row = std::all_of(space.begin() + 1, space.end() - 1,
                                   [](const ir::Dim& dim) { return dim == ir::Dim{}; });
  if (kept != 1 || !one_row || space.back().batch) return false;
  if (space.back().size <= 1 || space.back().size > logical_lanes) return false;
  if (space[0].extent(context.batch) < logical_lanes) return false;
  const auto& outputs = context.node.region->outputs;
  return std::all_of(shape.reductions.begin(), shape.reductions.end(),
                     [](const Node* r) { return is_kept_type(r->result()->type.dtype); }) &&
         std::all_of(outputs.begin(), outputs.end(), [&](const ir::Output& output) {
           return output.value->type.shape != space || is_kept_type(output.value->type.dtype);
         });
}

int64_t narrow_scratch_bytes(const GroupContext& context, const GroupShape& shape) {
  return NarrowPlan(context, shape).bytes();
}

void lower_narrow_rows(KernelScope& s) { NarrowRows(s).run(); }

}  // namespace nnc::kernel
