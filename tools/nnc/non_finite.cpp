#include "tools/nnc/non_finite.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "compiler/ir/op.h"
#include "compiler/passes/log_patterns.h"
#include "compiler/support/text.h"
#include "runtime/state.h"
#include "tools/nnc/terminal.h"
#include "tools/workbench/bad_numbers.h"
#include "tools/workbench/culprit.h"

namespace nnc::tool {

using namespace workbench;

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

// The sign of a NaN says nothing.
std::string value_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return fmt::format("{}", value);
  return fmt::format("{:.4g}, more than f32 can hold", value);
}

// Ops have names that formulas know, but for these.
std::string in_words(const ir::OpDef& op) {
  if (op.family == ir::Family::contraction) return "a sum of products";
  if (op.family == ir::Family::reduction) return "a sum or an extremum";
  return op.name == "mul" ? "a product" : op.name == "div" ? "a quotient" : "'" + op.name + "'";
}

// The loss of the table that took the logarithm of a probability, if that is what happened.
const language::Term* taken_by(const ir::Node& node, const language::Description& description) {
  for (const language::Term& term : description.loss->terms)
    if (term.loss && node.span.line == term.loss->span.line &&
        node.span.column == term.loss->span.column)
      return &term;
  return nullptr;
}

bool is_log_of_zero(const Culprit& culprit) {
  const std::string& op = culprit.node->op->name;
  return (op == "log" || op == "log1p") && culprit.value < 0;
}

// The logarithm of a probability that is exactly 0 or 1 and may not be: no learning rate helps.
Diagnostic log_of_zero(const Culprit& culprit, const language::Description& description) {
  Diagnostic diagnostic;
  diagnostic.span = culprit.node->span;
  const ir::Value* operand = culprit.node->operands[0];
  const language::Term* term = taken_by(*culprit.node, description);
  if (term == nullptr || !term->loss->args.has("probability")) {
    diagnostic.message = fmt::format("the logarithm of {} is taken here: -inf",
                                     culprit.node->op->name == "log" ? "0" : "1 - 1");
    diagnostic.expected = "numbers above 0; clip(x, 1e-6, …) keeps them there";
    return diagnostic;
  }
  const bool one = passes::complement_of(operand) != nullptr;
  const bool binary = term->loss->kind == "binary_cross_entropy";
  diagnostic.message =
      fmt::format("{}: '{}' is exactly {} {}: the loss is infinite there", term->loss->kind,
                  term->loss->args.reference("probability").text, one ? 1 : 0,
                  !binary ? "for a class whose target is above 0"
                  : one   ? "where its target is below 1"
                          : "where its target is above 0");
  diagnostic.expected =
      fmt::format("a probability that is never certain: that of {}, or clip(p, 1e-6, 1 - 1e-6)",
                  binary ? "a sigmoid" : "a softmax");
  return diagnostic;
}

Diagnostic first_bad_number(const Culprit& culprit) {
  Diagnostic diagnostic;
  diagnostic.span = culprit.node->span;
  diagnostic.message = fmt::format("the first value that is not finite is made here, by {}: {}",
                                   in_words(*culprit.node->op), value_text(culprit.value));
  std::string inputs;
  for (double input : culprit.inputs)
    inputs += (inputs.empty() ? "" : ", ") + fmt::format("{:.4g}", input);
  const bool elementwise = culprit.node->op->family == ir::Family::elementwise;
  if (!inputs.empty()) diagnostic.got = (elementwise ? "of " : "largest inputs ") + inputs;
  return diagnostic;
}

const char* what_is_kept(int64_t epoch) {
  return epoch > 1 ? "The run keeps what the epochs before have learned."
                   : "No epoch was finished: the run holds its initial weights.";
}

}  // namespace

void explain_non_finite(const runtime::NonFinite& details, CompiledModel& compiled,
                        const runtime::TrainEntries& entries, const runtime::Dataset& data,
                        const runtime::TrainOptions& options, runtime::Buffer state,
                        runtime::ThreadPool& pool, const language::Description& description) {
  print_error("{} step {} (epoch {}): the loss '{}' is not a finite number ({})\n",
              styled_error("nnc: error:", Style::red), details.step, details.epoch, details.term,
              printable(details.place));
  const abi::Program& program = compiled.program();
  const assemble::Forward& forward = compiled.forward();
  const abi::EntryDesc& step = compiled.entry(details.entry);
  const std::string data_place =
      bad_number(fields_of(step), {data.train.table, details.batch_rows});
  if (!data_place.empty()) {
    print_error(
        "  the data hold no number there: {}\n"
        "  Put a number there or leave the row out. {}\n",
        printable(data_place), what_is_kept(details.epoch));
    return;
  }
  if (details.entry != abi::main_entry(program)) {  // other phases have graphs of their own
    print_error("  in the phase that minimises it. {}\n", what_is_kept(details.epoch));
    return;
  }
  runtime::replay_before(details.step, program, entries, data, state, options, pool);
  ir::EvalOptions evaluation;
  evaluation.batch = static_cast<int64_t>(details.batch_rows.size());
  evaluation.seed = options.seed;
  evaluation.step = details.step;
  const Culprit culprit = find_culprit(
      *forward.graph, "loss." + details.term,
      graph_inputs(*forward.graph, details, program, step, *data.train.table, state), evaluation);
  if (culprit.node == nullptr) {
    print_error(
        "  with exact numbers the step is finite: some are too large or too small for "
        "f32\n");
  } else if (is_log_of_zero(culprit)) {
    print_error("{}", render(log_of_zero(culprit, description)));
  } else {
    print_error("{}", render(first_bad_number(culprit)));
  }
  if (culprit.rounded)
    print_error("  With `precision: f64` the step is finite: f32 cannot hold its numbers.\n");
  print_error("  {}{}\n",
              culprit.node != nullptr && is_log_of_zero(culprit) ? ""  // no learning rate helps
              : details.step == 1
                  ? "This is the first step, so no learning rate has played a part: look at the "
                    "data, the formula and the initial weights. "
                  : "A smaller learning rate or `clip: {norm: 1}` under `train` often helps. ",
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
