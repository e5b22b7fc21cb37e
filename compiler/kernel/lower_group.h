// Lowering: one fused group becomes one kernel function, and says how threads may share it.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/element_emitter.h"
#include "compiler/kernel/group.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::kernel {

// How the work of a kernel is cut: threads take ranges [begin, end) of one loop. `extent` 1 and no
// batch: one thread does it all.
//
// A product by weights that the program updates is cut by columns first (`panels` of equal width),
// so that each weight, its moments and its gradient stay in the cache of one core; only if there
// are more threads than columns can be shared out to, they take ranges of rows as well. Writing
// what another core holds is several times as expensive as reading it. If the weights lie in panels
// themselves, `panel_width` is 1: ranges of columns then count panels.
struct Slice {
  ir::Dim extent{1, false};
  int64_t granule = 1;  // ranges start at multiples of this
  int64_t panels = 1, panel_width = 0;
  int64_t scratch_bytes = 0;  // that each thread needs while the kernel runs
  bool by_columns() const { return panels > 1; }
  bool rows() const { return extent.batch && !by_columns(); }
  bool single() const { return !extent.batch && extent.size <= granule && !by_columns(); }
};

// How an operand reaches the kernel; the order of a kernel's parameters is: one per region
// parameter (`field`: a pointer and the row order), one pointer per region output, begin, end,
// rows.
enum class OperandKind : uint8_t { memory, field, scalar };

struct LoweredGroup {
  std::string function;
  Slice slice;
  std::string schedule;  // for people: "contract 8x3 vectors, m 64"
};

// Blocks of rows with memory of their own at the beginning of the arena, for values with the batch
// last (stripes.h). A few stripes of each value lie side by side, in one band of the arena; other
// values use what is free there.
struct Stripes {
  int64_t rows = 0;      // of each; 0: there are none
  int64_t together = 1;  // in a band
  size_t bytes = 0;      // of a band
};

struct GroupContext {
  const ir::Node& node;  // the group
  const std::vector<OperandKind>& operands;
  const Target& target;
  int64_t batch;          // class of the number of rows: tiles are chosen for it
  bool updates = false;   // the program updates states: weights are written between two reads
  int64_t block = 0;      // memory is laid out for so many rows in each call; 0: as the call says
  Stripes stripes = {};   // where these blocks are, if a call reads several
  bool in_block = false;  // each call is for a few rows of one thread, which shares nothing
};

// The same answer for fusion order, barriers and lowering.
Slice slice_of(const GroupContext& context);

// Of one call over `batch` rows: 2 for each multiply-add of a contraction, but not for those with a
// border of zeros, which are left out; 0 for other groups.
double flops_of(const ir::Node& group, int64_t batch);

// Appends the kernel function `name` to the module.
LoweredGroup lower_group(const GroupContext& context, const std::string& name, Module& module);

// --- one file per kind ---

// The open function while a group is lowered: emitter, parameters, stores.
struct KernelScope {
  const GroupContext& context;
  const ir::Graph& region;
  GroupShape shape;
  Builder& k;
  ElementEmitter& e;
  std::vector<Buffer> outputs;  // by region output
  Value begin, end, rows;
  Value column_begin, column_end;  // of a slice by columns
  Value scratch;                   // if the slice asks for any
  Value all_rows;                  // that there are, whatever the block

  // Stores every region output whose shape is `shape`, computed at `at`.
  void store_outputs(const ir::Shape& shape, const Coordinates& at);
};

void lower_map(KernelScope& s);
void lower_row(KernelScope& s);
void lower_column(KernelScope& s);
void lower_contract(KernelScope& s, std::string& schedule);
void lower_place(KernelScope& s);

Slice map_slice(const GroupContext& context, const GroupShape& shape);
Slice contract_slice(const GroupContext& context, const GroupShape& shape);
Slice row_slice(const GroupContext& context, const GroupShape& shape);
Slice place_slice(const GroupShape& shape);

// Loops over the dimensions from `first` on (0 … extent), then calls body with the coordinates of
// all of them appended to `at`.
void nest(KernelScope& s, const ir::Shape& dims, size_t first, Coordinates at,
          const std::function<void(const Coordinates&)>& body);

// Vectors of the emitter's lanes over [begin, end), the last one masked; `fixed` >= 0: the extent
// is known (begin is 0). Full ones are done `at_once`, side by side.
void vector_loop(KernelScope& s, Value begin, Value end, int64_t fixed,
                 const std::function<void(const Coordinate&)>& body, int64_t at_once = 1);

// A mask of the first `count` lanes (i64 scalar).
Value first_lanes(Builder& k, int lanes, Value count);

}  // namespace nnc::kernel
