// Values with their first and last dimensions exchanged: parts of the pass `lanes`.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/graph.h"

namespace nnc::passes::lanes {

// Whether the first dimension of the value, and no other, counts the batch rows one by one.
bool has_rows(const ir::Value* value);
// The same for values of three dimensions and more, such as [b, H, W, C].
bool is_picture(const ir::Value* value);

// The permutation of `rank` axes that exchanges the first and the last.
std::vector<int64_t> exchanged_order(int64_t rank);

// A product over windows of a picture, or its weight gradient, that can be exchanged.
bool is_convolution(const ir::Node& node);
// Whether the node has a form for exchanged operands and, if it has rows, an exchanged result.
bool is_exchangeable(const ir::Node& node);
// Multiply-adds of a contraction.
double multiplications(const ir::Node& contract, int64_t batch);

// Writes exchanged forms of nodes. All results have their first and last dimensions exchanged,
// those without rows are what they were.
class Exchange {
 public:
  // The exchanged form of an exchangeable node, whose operands may be any values.
  ir::Value* node(const ir::Node& node, ir::Builder& b);
  // From now on `exchanged` stands for `value`.
  void known(const ir::Value* value, ir::Value* exchanged) { known_[value] = exchanged; }

 private:
  ir::Value* of(ir::Value* value, ir::Builder& b);
  ir::Value* elementwise(const ir::Node& node, std::vector<ir::Value*> operands, ir::Builder& b);
  ir::Value* apart(ir::Value* value) const;
  ir::Value* copied(ir::Value* value, ir::Builder& b);
  ir::Value* repeated(const ir::Node& broadcast, ir::Builder& b);
  ir::Value* product(const ir::Node& contract, ir::Builder& b);
  ir::Value* weight_gradient(const ir::Node& contract, ir::Builder& b);

  std::map<const ir::Value*, ir::Value*> known_;
  std::set<const ir::Value*> apart_;  // reshapes of what was computed with more dimensions
};

}  // namespace nnc::passes::lanes
