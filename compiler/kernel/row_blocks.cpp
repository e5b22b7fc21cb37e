#include "compiler/kernel/row_blocks.h"

#include <algorithm>
#include <map>

#include "compiler/kernel/views.h"

namespace nnc::kernel {

namespace {

double bytes_of_row(const ir::Value& value) {
  return static_cast<double>(value.type.elements(1)) *
         static_cast<double>(abi::size_of(value.type.dtype));
}

// Weights that do not stay in the cache are read again for each block; that pays where each of them
// serves many positions of a row.
constexpr int64_t many_positions = 32;

bool weights_pay(const GroupFacts& group, const Target& target) {
  double weights = 0, positions = 0;
  for (const ir::Value* operand : group.node->operands)
    if (!ir::has_batch(operand->type.shape)) weights += bytes_of_row(*operand);
  for (const auto& node : group.node->region->nodes) {
    if (node->op->family != ir::Family::contraction) continue;
    const ir::Shape& shape = node->result()->type.shape;
    int64_t widest = 1;
    for (const ir::Dim& dim : shape) widest = std::max(widest, dim.batch ? 1 : dim.size);
    positions = static_cast<double>(node->result()->type.elements(1) / widest);
  }
  return weights <= static_cast<double>(target.l2_bytes) / 8 || positions >= many_positions;
}

class Finder {
 public:
  Finder(const ir::Graph& graph, const std::vector<GroupFacts>& groups,
         const std::vector<bool>& barriers, const std::vector<bool>& striped, const Target& target)
      : graph_(graph), groups_(groups), barriers_(barriers), striped_(striped), target_(target) {
    for (size_t g = 0; g < groups.size(); ++g) {
      for (const auto& result : groups[g].node->results) made_[result.get()] = g;
      for (const ir::Value* operand : groups[g].node->operands) last_[operand] = g;
    }
    for (const ir::Output& output : graph.outputs) last_[output.value] = groups.size();
  }

  std::vector<RowBlocks> run() const {
    std::vector<RowBlocks> list;
    for (size_t g = 0; g < groups_.size();) {
      RowBlocks blocks = longest_from(g);
      g = std::max(g + 1, blocks.behind);
      blocks.rows = rows_of(blocks);
      if (blocks.rows > 0 && blocks.rows < graph_.batch) list.push_back(std::move(blocks));
    }
    return list;
  }

 private:
  // A value from or for the outside is addressed by its rows.
  static bool rows_first(const ir::Value& value) {
    return !ir::has_batch(value.type.shape) || value.type.shape[0].batch;
  }

  // Whether all that groups `first` … `behind` - 1 share with others lies rows first.
  bool closed(size_t first, size_t behind) const {
    for (size_t g = first; g < behind; ++g) {
      for (const ir::Value* operand : groups_[g].node->operands) {
        const auto made = made_.find(operand);
        if (made != made_.end() && made->second < first && !rows_first(*operand)) return false;
      }
      for (const auto& result : groups_[g].node->results)
        if (last_of(result.get()) >= behind && !rows_first(*result)) return false;
    }
    return true;
  }

  size_t last_of(const ir::Value* value) const {
    const auto it = last_.find(value);
    return it == last_.end() ? 0 : it->second;
  }

  RowBlocks longest_from(size_t first) const {
    size_t behind = first;
    while (behind < groups_.size() && !striped_[behind] && keeps_rows(groups_[behind]) &&
           weights_pay(groups_[behind], target_) && (behind == first || !barriers_[behind]))
      ++behind;
    while (behind > first && !closed(first, behind)) --behind;
    RowBlocks blocks{first, behind, 0, {}};
    for (size_t g = first; g < behind; ++g)
      for (const auto& result : groups_[g].node->results)
        if (last_of(result.get()) < behind) blocks.inner.insert(result.get());
    return blocks;
  }

  // What the cache has to hold of a value for each row, and from which group to which.
  struct Stay {
    double bytes = 0;
    size_t first = 0, last = 0;
    bool handed_on = false;  // from one group of these to another
  };

  std::map<const ir::Value*, Stay> stays(const RowBlocks& blocks) const {
    std::map<const ir::Value*, Stay> list;
    for (size_t g = blocks.first; g < blocks.behind; ++g) {
      const auto touch = [&](const ir::Value* value, bool reads) {
        if (!ir::has_batch(value->type.shape)) return;
        const auto [it, fresh] = list.try_emplace(value, Stay{bytes_of_row(*value), g, g});
        it->second.last = g;
        const auto made = made_.find(value);
        if (reads && made != made_.end() && made->second >= blocks.first)
          it->second.handed_on = true;
      };
      for (const ir::Value* operand : groups_[g].node->operands) touch(operand, true);
      for (const auto& result : groups_[g].node->results) touch(result.get(), false);
    }
    return list;
  }

  // As many as three quarters of the second cache hold; 0: nothing to be had.
  int64_t rows_of(const RowBlocks& blocks) const {
    const auto list = stays(blocks);
    double most = 0;
    for (size_t g = blocks.first; g < blocks.behind; ++g) {
      double now = 0;
      for (const auto& [value, stay] : list)
        if (stay.first <= g && g <= stay.last) now += stay.bytes;
      most = std::max(most, now);
    }
    if (std::none_of(list.begin(), list.end(), [](const auto& v) { return v.second.handed_on; }))
      return 0;
    const auto held = static_cast<int64_t>(static_cast<double>(target_.l2_bytes) * 0.75 / most);
    const bool lanes =
        std::any_of(blocks.inner.begin(), blocks.inner.end(),
                    [](const ir::Value* v) { return counts_rows_last(v->type.shape); });
    // Vectors along batch rows want at least two of them in flight.
    int64_t rows = lanes ? std::max(logical_lanes, 2 * target_.lanes(4)) : 1;
    while (2 * rows <= held) rows *= 2;
    return rows;
  }

  const ir::Graph& graph_;
  const std::vector<GroupFacts>& groups_;
  const std::vector<bool>&barriers_, &striped_;
  const Target& target_;
  std::map<const ir::Value*, size_t> made_, last_;  // by which group; `last_` to read it
};

}  // namespace

std::vector<RowBlocks> find_row_blocks(const ir::Graph& graph,
                                       const std::vector<GroupFacts>& groups,
                                       const std::vector<bool>& barriers,
                                       const std::vector<bool>& striped, const Target& target) {
  return Finder(graph, groups, barriers, striped, target).run();
}

}  // namespace nnc::kernel
