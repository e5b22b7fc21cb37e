// What decides about the kernels of a program, as text. Whoever has seen it needs no kernels to
// know which ones they would be.
#include <fmt/format.h>

#include <iterator>

#include "compiler/kernel/program.h"

namespace nnc::kernel {

namespace {

// A field that is added to Target does not compile here until it is written, too.
std::string text_of(const Target& target) {
  const auto& [isa, vector_bytes, registers, fma, masks, l1, l2, core, issue, far_line, new_page,
               l2_ways, l2_share, divides_beside, threads, rows, vectors, packing, rest] = target;
  return fmt::format("target {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n",
                     name_of(isa), vector_bytes, registers, fma, masks, l1, l2,
                     static_cast<int>(core), issue, far_line, new_page, l2_ways, l2_share,
                     divides_beside, threads, rows, vectors, packing, rest);
}

class PlanText {
 public:
  explicit PlanText(const Plan& plan) : plan_(plan) {}

  std::string of(const ir::Graph& graph) {
    add("stripes {} {} {} arena {} {} {}\n", plan_.stripes.rows, plan_.stripes.together,
        plan_.stripes.bytes, plan_.arena_bytes, plan_.thread_bytes, plan_.scratch_offset);
    for (const RowBlocks& blocks : plan_.blocks)
      add("blocks {} {} {}\n", blocks.first, blocks.behind, blocks.rows);
    for (const PlannedGroup& group : plan_.groups) add_group(group);
    for (const ir::Param& param : graph.params) add_place(param.value.get());
    for (const auto& node : graph.nodes)
      for (const auto& result : node->results) add_place(result.get());
    return std::move(text_);
  }

 private:
  void add_group(const PlannedGroup& group) {
    const Slice& slice = group.facts.slice;
    add("group {} {} {} {} {} {} {} {} {}\n", group.barrier_before, group.striped,
        group.facts.per_thread, slice.extent.size, slice.extent.batch, slice.granule, slice.panels,
        slice.panel_width, slice.scratch_bytes);
  }

  void add_place(const ir::Value* value) {
    const auto it = plan_.places.find(value);
    if (it == plan_.places.end()) return;
    add("{} {} {}\n", static_cast<int>(it->second.kind), it->second.offset, it->second.index);
  }

  template <typename... Parts>
  void add(fmt::format_string<Parts...> format, Parts&&... parts) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Parts>(parts)...);
  }

  const Plan& plan_;
  std::string text_;
};

}  // namespace

std::string identity(const ir::Graph& scheduled, const PlannedProgram& planned,
                     const Target& target, bool profile) {
  return (profile ? "profile " : "") + text_of(target) + PlanText(planned.plan).of(scheduled) +
         ir::identity(scheduled);
}

}  // namespace nnc::kernel
