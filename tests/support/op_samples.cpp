#include "tests/support/op_samples.h"

#include <cmath>

#include "compiler/ir/builder.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;

// The axis that counts batch rows, or -1.
int batch_axis(const Shape& shape) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].batch) return static_cast<int>(i);
  }
  return -1;
}

// A parameter with the batch first, and the nodes that make the wanted shape of it.
Value* operand_value(Graph& graph, const std::string& name, const Type& type, Value*& param) {
  const int axis = batch_axis(type.shape);
  if (axis < 0) return param = graph.add_param(ParamKind::state, name, type);
  const size_t place = static_cast<size_t>(axis);
  Type stored{type.dtype, {Dim{1, true}}};
  if (type.shape[place].size > 1) stored.shape.push_back({type.shape[place].size, false});
  Shape moved = {type.shape[place]};
  std::vector<int64_t> permutation;
  for (size_t i = 0; i < type.shape.size(); ++i) {
    const auto before = static_cast<int64_t>(i);
    permutation.push_back(i == place ? 0 : i < place ? before + 1 : before);
    if (i == place) continue;
    stored.shape.push_back(type.shape[i]);
    moved.push_back(type.shape[i]);
  }
  param = graph.add_param(ParamKind::input, name, stored);
  Builder b(graph);
  return b.transpose(b.reshape(param, moved), permutation);
}

std::pair<double, double> range_of(const Sample& sample, size_t operand) {
  if (operand < sample.ranges.size()) return sample.ranges[operand];
  return {sample.low, sample.high};
}

}  // namespace

ir::Tensor random_tensor(const Type& type, double low, double high, int64_t batch,
                         std::mt19937_64& random) {
  std::uniform_real_distribution<double> draw(low, high);
  Tensor tensor;
  for (const Dim& dim : type.shape) tensor.shape.push_back(dim.extent(batch));
  tensor.data.resize(static_cast<size_t>(type.elements(batch)));
  for (double& x : tensor.data) {
    x = draw(random);
    if (type.dtype == DType::f32) x = static_cast<double>(static_cast<float>(x));
    if (!type.is_float()) x = std::round(x);
  }
  return tensor;
}

SampleGraph sample_graph(const OpDef& op, const Sample& sample, std::mt19937_64& random,
                         int64_t batch) {
  SampleGraph result;
  result.graph = std::make_unique<Graph>(op.name, batch);
  std::vector<Value*> operands;
  for (size_t i = 0; i < sample.operands.size(); ++i) {
    const std::string name = "a" + std::to_string(i);
    Value* param = nullptr;
    if (op.family == Family::state && i == 0) {  // a state is assigned as it is
      param = result.graph->add_param(ParamKind::state, name, sample.operands[i]);
      operands.push_back(param);
    } else {
      operands.push_back(operand_value(*result.graph, name, sample.operands[i], param));
    }
    result.operands.push_back(param);
    const auto [low, high] = range_of(sample, i);
    result.values[name] = random_tensor(param->type, low, high, batch, random);
  }
  const Node* node = result.graph->add(&op, operands, sample.attributes);
  for (size_t i = 0; i < node->results.size(); ++i) {
    result.graph->add_output("y" + std::to_string(i), node->results[i].get());
  }
  return result;
}

std::string describe(const OpDef& op, const Sample& sample, size_t index) {
  std::string text = op.name + "[" + std::to_string(index) + "]:";
  for (const Type& type : sample.operands) text += " " + to_string(type, 3);
  return text;
}

}  // namespace nnc::testing
