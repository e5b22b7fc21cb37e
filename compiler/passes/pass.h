// The passes over graphs: one ordered, commented list per moment of the pipeline. Any pass can be
// dumped around, verified around, timed, and stopped after.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::passes {

struct Pass {
  std::string name;
  std::string doc;
  std::function<bool(ir::Graph&)> run;  // whether it changed anything
};

// Before derivatives: primitives to primitives, so that the derivative of a derivative holds.
const std::vector<Pass>& canonical_passes();
// After derivatives and update: the whole step, up to fused groups in execution order.
const std::vector<Pass>& step_passes();
// Between the two, of evaluation and prediction: what may be computed of weights alone. After it
// prelude.h takes these values out.
const std::vector<Pass>& inference_passes();

struct PassReport {
  std::string name;
  bool changed = false;
  double milliseconds = 0;
};

struct PassOptions {
  std::string stop_after;    // leave the list after this pass
  bool verify_each = false;  // ir::verify after every pass
  std::function<void(const PassReport&, const ir::Graph&)> observe;  // after every pass
};

// Whether the list ran to its end (false: stopped after `stop_after`).
bool run_passes(ir::Graph& graph, const std::vector<Pass>& passes, const PassOptions& options = {});

// The passes, one file each.
bool simplify(ir::Graph& graph);        // x+0, x*1, reshape of reshape, reductions of one element
bool fold_constants(ir::Graph& graph);  // arithmetic on uniform constants
bool merge_common(ir::Graph& graph);    // equal nodes become one (common subexpressions)
bool drop_stops(ir::Graph& graph);      // stop_gradient means nothing after derivatives
bool remove_dead(ir::Graph& graph);     // nodes that nobody uses
bool safe_forms(ir::Graph& graph);      // softmax, log(softmax), log(sigmoid) …: the stable forms
bool take_limits(ir::Graph& graph);     // 0·log(0) is 0
bool skip_unread(ir::Graph& graph);     // pixels that pooling leaves out are not computed
bool fold_scales(ir::Graph& graph);     // (x·W)·s: one product with weights W·s
bool put_weights_in_panels(ir::Graph& graph);   // wide weights lie panel by panel
bool form_muladd(ir::Graph& graph);             // a*b + c: the only place where FMA is introduced
bool use_known_sums(ir::Graph& graph);          // sums of a·Σx + b·Σy from those of x and y
bool take_moments_by_rows(ir::Graph& graph);    // Σ(x - m)² around the mean of each row first
bool recompute_cheap(ir::Graph& graph);         // normalised products, where they are read
bool gather_convolutions(ir::Graph& graph);     // input gradients of convolutions as convolutions
bool put_batch_last(ir::Graph& graph);          // pictures [C, H, W, b] where channels are few
bool join_blocks(ir::Graph& graph);             // gradients of pooling in the order of memory
bool take_gradients_by_rows(ir::Graph& graph);  // weight gradients of single rows, then their sum
bool split_reductions(ir::Graph& graph);        // one kind of axes per reduction
bool lay_out_contractions(ir::Graph& graph);    // operands that kernels can read by vectors
bool read_inside_frames(ir::Graph& graph);      // values that are written with a border
bool sum_in_parts(ir::Graph& graph);            // sums over rows that stand last, block by block
bool fuse(ir::Graph& graph);                    // groups: one kernel each
bool separate_states(ir::Graph& graph);  // copies for states that no order can write in place
bool schedule(ir::Graph& graph);         // execution order with the fewest barriers

}  // namespace nnc::passes
