#include "tools/nnc/non_finite.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "compiler/ir/op.h"
#include "runtime/state.h"
#include "tools/nnc/bad_numbers.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

namespace {

// As the step's graph sees it.
ir::Tensor state_tensor(const abi::StateDesc& desc, const runtime::Buffer& state) {
  ir::Tensor result;
  result.shape = desc.stored_shape();
  const char* bytes = state.as<char>() + desc.offset;
  for (size_t i = 0; i < desc.elements(); ++i) {
    switch (desc.dtype) {
      case abi::DType::f64: result.data.push_back(reinterpret_cast<const double*>(bytes)[i]); break;
      case abi::DType::i32:
        result.data.push_back(reinterpret_cast<const int32_t*>(bytes)[i]);
        break;
      default: result.data.push_back(static_cast<double>(reinterpret_cast<const float*>(bytes)[i]));
    }
  }
  return result;
}

ir::Tensor batch_tensor(const runtime::Column& column, const std::vector<int32_t>& rows) {
  ir::Tensor result;
  result.shape = {static_cast<int64_t>(rows.size())};
  result.shape.insert(result.shape.end(), column.row_shape.begin(), column.row_shape.end());
  const int64_t n = column.row_elements();
  for (int32_t row : rows) {
    for (int64_t i = 0; i < n; ++i) result.data.push_back(column.number(row * n + i));
  }
  return result;
}

// The shape of an input [batch, row…] for so many rows.
std::vector<int64_t> batch_shape(const ir::Type& type, size_t rows) {
  std::vector<int64_t> shape;
  for (const ir::Dim& dim : type.shape)
    shape.push_back(dim.batch ? static_cast<int64_t>(rows) : dim.size);
  return shape;
}

// Values of every parameter of the graph before the failing step.
std::map<std::string, ir::Tensor> graph_inputs(
    const ir::Graph& graph, const runtime::NonFinite& details, const abi::Program& program,
    const abi::EntryDesc& step, const runtime::Table& table, const runtime::Buffer& state) {
  std::map<std::string, ir::Tensor> values;
  for (const ir::Param& param : graph.params) {
    const std::string& name = param.external_name;
    if (param.kind == ir::ParamKind::input) {
      if (const auto made = details.made.find(name); made != details.made.end()) {
        values[name] = {batch_shape(param.value->type, details.batch_rows.size()), made->second};
      } else if (const runtime::Column* column = table.find(name)) {
        values[name] = batch_tensor(*column, details.batch_rows);
      }
    } else if (param.kind == ir::ParamKind::state) {
      for (const abi::StateDesc& desc : program.states) {
        if (desc.name == name) values[name] = state_tensor(desc, state);
      }
    } else {
      for (size_t i = 0; i < step.scalars.size() && i < details.scalars.size(); ++i) {
        if (step.scalars[i] == name) values[name] = {{}, {details.scalars[i]}};
      }
    }
  }
  return values;
}

// The reference computes in f64: what f32 could not hold counts as infinite.
bool is_bad(double value, abi::DType dtype) {
  if (dtype == abi::DType::f32) {
    return !(std::fabs(value) <= static_cast<double>(std::numeric_limits<float>::max()));
  }
  return dtype == abi::DType::f64 && !std::isfinite(value);
}

struct Culprit {
  const ir::Node* node = nullptr;
  double value = 0;
  std::string operands;  // largest magnitude of each
};

// The sign of a NaN says nothing.
std::string value_text(const Culprit& culprit) {
  if (std::isnan(culprit.value)) return "nan";
  if (std::isinf(culprit.value)) return fmt::format("{}", culprit.value);
  return fmt::format("{:.4g}, more than f32 can hold", culprit.value);
}

double largest(const ir::Tensor& tensor) {
  double result = 0;
  for (double x : tensor.data) {
    if (std::isnan(x) || std::fabs(x) > std::fabs(result)) result = x;
  }
  return result;
}

Culprit find_culprit(const ir::Graph& original, const std::map<std::string, ir::Tensor>& inputs,
                     const ir::EvalOptions& options) {
  const auto graph = original.clone();
  graph->outputs.clear();
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    for (const auto& result : graph->nodes[n]->results) {
      graph->add_output(result->name, result.get());
    }
  }
  const auto values = ir::evaluate(*graph, inputs, options);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    if (graph->nodes[n]->op->family == ir::Family::movement) continue;  // shows what was bad before
    for (const auto& result : graph->nodes[n]->results) {
      for (double x : values.at(result->name).data) {
        if (!is_bad(x, result->type.dtype)) continue;
        Culprit culprit{original.nodes[n].get(), x, ""};
        for (const ir::Value* operand : graph->nodes[n]->operands) {
          const auto found = values.find(operand->name);
          if (found == values.end()) continue;
          culprit.operands += (culprit.operands.empty() ? "" : ", ") +
                              fmt::format("{:.4g}", largest(found->second));
        }
        return culprit;
      }
    }
  }
  return {};
}

// Ops have names that formulas know, but for these.
std::string in_words(const ir::OpDef& op) {
  if (op.family == ir::Family::contraction) return "a sum of products";
  if (op.family == ir::Family::reduction) return "a sum or an extremum";
  return op.name == "mul" ? "a product" : op.name == "div" ? "a quotient" : "'" + op.name + "'";
}

const char* what_is_kept(int64_t epoch) {
  return epoch > 1 ? "The run keeps what the epochs before have learned."
                   : "No epoch was finished: the run holds its initial weights.";
}

}  // namespace

void explain_non_finite(const runtime::NonFinite& details, CompiledModel& compiled,
                        const runtime::TrainEntries& entries, const runtime::Dataset& data,
                        const runtime::TrainOptions& options, runtime::Buffer state,
                        runtime::ThreadPool& pool) {
  fmt::print(stderr, "{} step {} (epoch {}): the loss '{}' is not a finite number ({})\n",
             styled_error("nnc: error:", Style::red), details.step, details.epoch, details.term,
             details.place);
  const abi::Program& program = compiled.program();
  const spec::Forward& forward = compiled.forward();
  const std::string data_place =
      bad_number(fields_of(*entries.step), {data.train.table, details.batch_rows});
  if (!data_place.empty()) {
    fmt::print(stderr,
               "  the data hold no number there: {}\n"
               "  Put a number there or leave the row out. {}\n",
               data_place, what_is_kept(details.epoch));
    return;
  }
  runtime::replay_before(details.step, program, entries, data, state, options, pool);
  ir::EvalOptions evaluation;
  evaluation.batch = static_cast<int64_t>(details.batch_rows.size());
  evaluation.seed = options.seed;
  evaluation.step = details.step;
  const Culprit culprit = find_culprit(
      *forward.graph,
      graph_inputs(*forward.graph, details, program, *entries.step, *data.train.table, state),
      evaluation);
  if (culprit.node == nullptr) {
    fmt::print(stderr,
               "  with exact numbers the step is finite: the weights have grown until f32 "
               "lost them\n");
  } else {
    Diagnostic diagnostic;
    diagnostic.span = culprit.node->span;
    diagnostic.message = fmt::format("the first value that is not finite is made here, by {}: {}",
                                     in_words(*culprit.node->op), value_text(culprit));
    if (!culprit.operands.empty()) diagnostic.got = "largest inputs " + culprit.operands;
    fmt::print(stderr, "{}", render(diagnostic));
  }
  fmt::print(stderr, "  {} {}\n",
             details.step == 1
                 ? "This is the first step, so no learning rate has played a part: look at the "
                   "data, the formula and the initial weights."
                 : "A smaller learning rate or `clip: {norm: 1}` under `train` often helps.",
             what_is_kept(details.epoch));
}

void explain_non_finite(const runtime::NonFiniteWeight& error) {
  fmt::print(
      stderr,
      "{} epoch {}: '{}' is no longer a finite number, although the losses are\n"
      "  A formula may have a derivative that is none, as sqrt at 0;\n"
      "  else a smaller learning rate or `clip: {{norm: 1}}` under `train` often helps. {}\n",
      styled_error("nnc: error:", Style::red), error.epoch, error.weight,
      what_is_kept(error.epoch));
}

}  // namespace nnc::tool
