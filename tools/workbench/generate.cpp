#include "tools/workbench/generate.h"

#include <limits>
#include <map>

#include "compiler/ir/limits.h"
#include "compiler/ir/op.h"
#include "compiler/layers/formula.h"
#include "compiler/layers/rows.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"
#include "runtime/data/error.h"
#include "runtime/rng.h"
#include "tools/workbench/readable.h"

namespace nnc::workbench {

namespace {

// Names of a formula as inputs of a graph: made when a formula first uses them.
class RowScope : public layers::Scope {
 public:
  explicit RowScope(ir::Graph& graph) : graph_(graph) {}

  // Declares a name with the shape of one row.
  void declare(const std::string& name, std::vector<int64_t> row_shape) {
    shapes_[name] = std::move(row_shape);
  }

  layers::Operand find(const std::string& name, const SourceSpan& span) override {
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, shape] : shapes_) {
        if (is_identifier(known)) names.push_back(known);
      }
      throw UserError(span, "there is no field " + in_quotes(name) + " here",
                      names.empty() ? "numbers, uniform() and normal()" : join(names, "or"), name);
    }
    ir::Value*& value = values_[name];
    if (value == nullptr) {
      value = graph_.add_param(ir::ParamKind::input, "x" + std::to_string(values_.size()),
                               {ir::DType::f64, layers::batch_shape(found->second)}, name);
    }
    return {value, "field " + in_quotes(name), 0};
  }

  std::vector<std::string> used() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : values_) names.push_back(name);
    return names;
  }

 private:
  ir::Graph& graph_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, ir::Value*> values_;
};

// Random numbers that a formula draws: an input of its graph under the path of the draw.
struct Draw {
  std::string name;
  std::vector<int64_t> shape;  // of one row
  bool normal = false;         // else uniform
};

class RowDraws : public layers::RandomSource {
 public:
  RowDraws(RowScope& scope, ir::Builder& b, int64_t rows) : scope_(scope), b_(b), rows_(rows) {}

  ir::Value* draw(const std::string& op, const ir::Shape& shape, const std::string& path) override {
    ir::check_elements({ir::DType::f64, shape}, rows_, b_.span());
    Draw draw{path, {}, op == "random_normal"};
    for (size_t i = 1; i < shape.size(); ++i) draw.shape.push_back(shape[i].size);
    draws.push_back(draw);
    scope_.declare(path, draw.shape);
    return scope_.find(path, b_.span()).value;
  }

  std::vector<Draw> draws;

 private:
  RowScope& scope_;
  ir::Builder& b_;
  int64_t rows_;
};

// A formula as a graph of its own: one output, "result".
struct RowProgram {
  std::unique_ptr<ir::Graph> graph;
  std::vector<std::string> inputs;
  std::vector<Draw> draws = {};
  std::vector<int64_t> row_shape;
  bool per_row = true;
};

using Shapes = std::map<std::string, std::vector<int64_t>>;

// `field`: what the formula generates, in so many rows; a filter draws nothing.
RowProgram build(const Formula& formula, const Shapes& names, const std::string& field = "",
                 int64_t rows = 0) {
  RowProgram result;
  result.graph = std::make_unique<ir::Graph>("rows");
  RowScope scope(*result.graph);
  for (const auto& [name, shape] : names) scope.declare(name, shape);
  ir::Builder builder(*result.graph);
  builder.set_span(formula.span);
  RowDraws draws(scope, builder, rows);
  layers::FormulaContext context{.b = builder,
                                 .scope = scope,
                                 .dtype = ir::DType::f64,
                                 .random = field.empty() ? nullptr : &draws,
                                 .path = field};
  ir::Value* value = layers::build_formula(context, formula);
  result.per_row = layers::per_row(value);
  result.row_shape = layers::row_shape(value);
  result.graph->add_output("result", value);
  result.inputs = scope.used();
  result.draws = std::move(draws.draws);
  return result;
}

// The numbers of all rows: [rows, row…], one row repeated if the formula has no rows of its own.
std::vector<double> run(const RowProgram& program, const std::map<std::string, ir::Tensor>& values,
                        int64_t rows) {
  std::map<std::string, ir::Tensor> inputs;
  for (const std::string& name : program.inputs) inputs[name] = values.at(name);
  ir::EvalOptions options;
  options.batch = rows;
  std::vector<double> data = ir::evaluate(*program.graph, inputs, options).at("result").data;
  if (program.per_row) return data;
  std::vector<double> repeated;
  for (int64_t row = 0; row < rows; ++row) {
    repeated.insert(repeated.end(), data.begin(), data.end());
  }
  return repeated;
}

ir::Tensor tensor(int64_t rows, const std::vector<int64_t>& row_shape, std::vector<double> data) {
  ir::Tensor result;
  result.shape = {rows};
  result.shape.insert(result.shape.end(), row_shape.begin(), row_shape.end());
  result.data = std::move(data);
  return result;
}

ir::Tensor draw_numbers(const Draw& draw, int64_t rows, uint64_t seed) {
  runtime::RandomStream stream;
  stream.seed = seed;
  stream.stream = runtime::stream_of(draw.name.c_str());
  std::vector<double> data(static_cast<size_t>(rows * layers::elements(draw.shape)));
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] = draw.normal ? runtime::normal(stream, i) : runtime::uniform_f64(stream, i);
  }
  return tensor(rows, draw.shape, std::move(data));
}

// All rows at once must be a possible array.
void check_rows(const Formula& formula, int64_t rows, const std::vector<int64_t>& row_shape) {
  ir::check_elements({ir::DType::f64, layers::batch_shape(row_shape)}, rows, formula.span);
}

struct FieldProgram {
  std::string name;
  RowProgram program;
};

}  // namespace

runtime::GeneratedSource generated_source(const Args& args) {
  runtime::GeneratedSource source;
  source.rows = args.integer("rows");
  const auto seed = static_cast<uint64_t>(args.integer("seed"));
  auto programs = std::make_shared<std::vector<FieldProgram>>();
  Shapes names;
  for (const auto& [name, value] : args.values()) {
    if (!value.is_formula()) continue;
    FieldProgram field{name.text, build(value.formula(), names, name.text, source.rows)};
    check_rows(value.formula(), source.rows, field.program.row_shape);
    names[name.text] = field.program.row_shape;
    source.fields.push_back({name.text, field.program.row_shape});
    programs->push_back(std::move(field));
  }
  source.make = [programs, seed, rows = source.rows] {
    std::map<std::string, ir::Tensor> values;
    std::vector<runtime::InlineField> result;
    for (const FieldProgram& field : *programs) {
      for (const Draw& draw : field.program.draws)
        values[draw.name] = draw_numbers(draw, rows, seed);
      runtime::InlineField made{field.name, field.program.row_shape, {}, {}};
      made.numbers = run(field.program, values, rows);
      values[field.name] = tensor(rows, made.row_shape, made.numbers);
      result.push_back(std::move(made));
    }
    return result;
  };
  return source;
}

namespace {

RowProgram filter_program(const Formula& formula, const Shapes& names) {
  RowProgram program = build(formula, names);
  if (!program.row_shape.empty()) {
    throw UserError(formula.span, "`where` needs one condition for each row", "shape []",
                    layers::shape_text(program.row_shape));
  }
  return program;
}

}  // namespace

void check_filter(const Formula& formula, const std::vector<runtime::FieldInfo>& fields) {
  Shapes names;
  for (const runtime::FieldInfo& field : fields) names[field.name] = field.row_shape;
  filter_program(formula, names);
}

namespace {

// A column of words that no number stands for.
bool holds_words(const runtime::Column& column) { return column.is_text && column.bytes.empty(); }

// Of words, a condition can only ask whether they are missing.
void refuse_words(const Expression& e, const runtime::Table& table) {
  if (e.kind == Expression::Kind::name) {
    const runtime::Column* column = table.find(e.text);
    if (column != nullptr && holds_words(*column)) {
      throw UserError(e.span, "'" + e.text + "' holds words, not numbers",
                      "missing(" + e.text + "), or a field of numbers");
    }
  }
  const bool asks = e.kind == Expression::Kind::call && e.text == "missing" &&
                    e.operands.size() == 1 && e.operands[0]->kind == Expression::Kind::name;
  if (asks) return;
  for (const ExpressionPtr& operand : e.operands) refuse_words(*operand, table);
  for (const NamedOperand& operand : e.named) refuse_words(*operand.value, table);
}

// The numbers of a column; of words 0, or NaN where they are missing.
std::vector<double> numbers_of(const runtime::Column& column, int64_t rows) {
  std::vector<double> data(static_cast<size_t>(rows * column.row_elements()));
  for (size_t i = 0; i < data.size(); ++i) {
    const bool absent = column.is_text && runtime::is_missing_word(column.words[i]);
    data[i] = absent                ? std::numeric_limits<double>::quiet_NaN()
              : holds_words(column) ? 0
                                    : column.number(static_cast<int64_t>(i));
  }
  return data;
}

}  // namespace

std::function<std::vector<uint8_t>(const runtime::Table&)> row_filter(const Formula& formula) {
  return [formula](const runtime::Table& table) {
    refuse_words(*formula.root, table);
    Shapes names;
    for (const runtime::Column& column : table.columns) names[column.name] = column.row_shape;
    const RowProgram program = filter_program(formula, names);
    std::map<std::string, ir::Tensor> values;
    for (const std::string& name : program.inputs) {
      const runtime::Column& column = *table.find(name);
      values[name] = tensor(table.rows, column.row_shape, numbers_of(column, table.rows));
    }
    std::vector<uint8_t> keep;
    for (double value : run(program, values, table.rows)) keep.push_back(value != 0 ? 1 : 0);
    return keep;
  };
}

}  // namespace nnc::workbench
