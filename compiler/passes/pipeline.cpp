#include <chrono>

#include "compiler/passes/pass.h"

namespace nnc::passes {

const std::vector<Pass>& canonical_passes() {
  static const std::vector<Pass> list = {
      {"simplify", "drop what does nothing, so that the patterns below see plain forms", simplify},
      {"fold", "arithmetic on constants", fold_constants},
      {"cse", "one softmax where the file writes it twice", merge_common},
      {"safe-forms", "logarithms of what sigmoids, softmaxes and exponentials make: stable forms",
       safe_forms},
      {"limits", "0·log(0) is 0", take_limits},
      {"dce", "what the patterns left unused", remove_dead},
      {"narrow", "pixels that pooling leaves out are not computed", skip_unread},
  };
  return list;
}

const std::vector<Pass>& inference_passes() {
  static const std::vector<Pass> list = {
      {"fold-scales", "normalisation by running statistics becomes part of the weights",
       fold_scales},
      {"panels", "wide weights lie in panels of columns, each one run of memory",
       put_weights_in_panels},
      {"dce", "the weights and sums that they replaced", remove_dead},
  };
  return list;
}

const std::vector<Pass>& step_passes() {
  static const std::vector<Pass> list = {
      {"stops", "stop_gradient has done its work", drop_stops},
      {"simplify", "derivatives bring sums of one and products with one", simplify},
      {"fold", "arithmetic on constants", fold_constants},
      {"simplify-2", "what folding uncovered", simplify},
      {"cse", "forward values that backward computes again", merge_common},
      {"dce", "gradients that nobody asked for", remove_dead},
      {"known-sums", "a sum of scaled values whose own sums are there anyway", use_known_sums},
      {"moments", "each row's spread around its own mean, while its pixels are near",
       take_moments_by_rows},
      {"convolution", "input gradients of convolutions gather instead of adding up",
       gather_convolutions},
      {"lanes", "pictures of few channels lie with the batch last", put_batch_last},
      {"blocks", "arithmetic on the windows of pooling happens where they lie in the picture",
       join_blocks},
      {"partials", "small weight gradients of each row, while its pixels are near, and their sum",
       take_gradients_by_rows},
      {"split", "reductions over mixed axes become two", split_reductions},
      {"layout", "transposed operands are written once, in the order that kernels read",
       lay_out_contractions},
      {"parts", "sums over the batch by blocks of rows, where threads read what they wrote",
       sum_in_parts},
      {"cse-2", "one transposed copy for all its readers", merge_common},
      {"muladd", "a*b + c becomes one op: the only place where FMA comes from", form_muladd},
      {"dce-2", "before fusion", remove_dead},
      {"recompute", "normalised products are made again by each reader: less than to fetch them",
       recompute_cheap},
      {"frames", "what is written with a border is read there by all", read_inside_frames},
      {"fuse", "groups of nodes that share one kernel", fuse},
      {"states", "states that no order can write in place get a copy", separate_states},
      {"schedule", "execution order with the fewest barriers", schedule},
  };
  return list;
}

bool run_passes(ir::Graph& graph, const std::vector<Pass>& passes, const PassOptions& options) {
  for (const Pass& pass : passes) {
    const auto start = std::chrono::steady_clock::now();
    PassReport report{pass.name, pass.run(graph), 0};
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    report.milliseconds = took.count();
    if (options.verify_each) ir::verify(graph);
    if (options.observe) options.observe(report, graph);
    if (pass.name == options.stop_after) return false;
  }
  return true;
}

bool remove_dead(ir::Graph& graph) { return graph.remove_dead() > 0; }

}  // namespace nnc::passes
