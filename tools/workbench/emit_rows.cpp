#include "tools/workbench/emit_rows.h"

#include <algorithm>

#include "runtime/data/load.h"
#include "runtime/inference.h"
#include "tools/workbench/cut_values.h"
#include "tools/workbench/drawn.h"
#include "tools/workbench/emit_request.h"
#include "tools/workbench/input_rows.h"

namespace nnc::workbench {

namespace {

constexpr size_t self_test_rows_at_most = 16;
constexpr const char* cut_entry = "cut_values_of_rows";

std::vector<double> row_of(const runtime::Column& column, int64_t row) {
  std::vector<double> values;
  const int64_t n = column.row_elements();
  for (int64_t i = 0; i < n; ++i) values.push_back(column.number(row * n + i));
  return values;
}

// The numbers of a prediction as a column of a table.
runtime::Column column_of(runtime::Prediction output) {
  runtime::Column column;
  column.name = output.name;
  column.dtype = output.dtype;
  column.row_shape = output.shape;
  column.bytes = std::move(output.values);
  return column;
}

runtime::Column column_of(const runtime::InlineField& drawn) {
  runtime::Column column;
  column.name = drawn.field;
  column.dtype = abi::DType::f64;
  column.row_shape = drawn.row_shape;
  column.bytes = runtime::Buffer(drawn.numbers.size() * sizeof(double));
  std::copy(drawn.numbers.begin(), drawn.numbers.end(), column.bytes.as<double>());
  return column;
}

const language::Function* function_of(const Trained& trained, const std::string& entry) {
  for (const language::Function& function : trained.model.description.functions)
    if (function.name.text == entry) return &function;
  return nullptr;
}

bool draws(const language::Function* function, const std::string& input) {
  return function != nullptr &&
         std::any_of(function->draw.begin(), function->draw.end(),
                     [&](const auto& draw) { return draw.name.text == input; });
}

// What entries take that are neither fields nor drawn.
std::vector<Name> cut_values(const Trained& trained, const std::vector<abi::EntryDesc>& entries) {
  std::vector<Name> values;
  for (const abi::EntryDesc& entry : entries) {
    const language::Function* function = function_of(trained, entry.name);
    if (function == nullptr) continue;
    for (const Name& input : function->inputs) {
      const auto is_it = [&](const auto& known) { return known.name == input.text; };
      const auto same = [&](const Name& known) { return known.text == input.text; };
      const auto& fields = trained.fields;
      const auto& read = entry.inputs;
      if (std::any_of(fields.begin(), fields.end(), is_it) || draws(function, input.text) ||
          std::none_of(read.begin(), read.end(), is_it) ||
          std::any_of(values.begin(), values.end(), same))
        continue;
      values.push_back(input);
    }
  }
  return values;
}

// The trained program, and the rows that its entries are asked about.
class Answers {
 public:
  Answers(const Trained& trained, const std::vector<abi::EntryDesc>& entries)
      : trained_(trained), pool_(1) {
    Model model = trained.model;
    const std::vector<Name> values = cut_values(trained, entries);
    if (!values.empty())
      model.description.functions.push_back(
          function_of_values(cut_entry, model.description, values));
    compiled_ = compile_model(model, trained.fields, emit_options({}), false);
    state_ = trained_state(trained, *compiled_);
    runtime::run_prelude(compiled_->has_entry("prelude") ? &compiled_->entry("prelude") : nullptr,
                         state_.data(), pool_);
    load();
    if (values.empty()) return;
    const abi::EntryDesc& cut = compiled_->entry(cut_entry);
    for (runtime::Prediction& value : runtime::predict(cut, rows_for(cut), state_, pool_))
      cut_.columns.push_back(column_of(std::move(value)));
  }

  std::vector<codegen::EmitRow> of(const abi::EntryDesc& entry) {
    const runtime::Split split = rows_for(entry);
    const auto outputs = runtime::predict(compiled_->entry(entry.name), split, state_, pool_);
    std::vector<runtime::Column> answers;
    for (const runtime::Prediction& output : outputs) {
      answers.push_back(column_of({output.name, output.dtype, output.shape, output.values.copy()}));
    }
    std::vector<codegen::EmitRow> rows;
    for (const int32_t i : split.rows) {
      codegen::EmitRow row;
      for (const abi::InputDesc& input : entry.inputs)
        row.inputs.push_back(row_of(*split.table->find(input.name), i));
      for (const runtime::Column& answer : answers) row.outputs.push_back(row_of(answer, i));
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  void load() {
    const runtime::DataSpec& spec = trained_.model.data;
    const bool has_test = spec.test || spec.test_fraction;
    runtime::LoadOptions wanted{!has_test, false, has_test};
    wanted.raw = true;
    data_ = runtime::load(spec, wanted);
    chosen_ = has_test ? data_.test : data_.train;
    if (chosen_.rows.size() > self_test_rows_at_most) chosen_.rows.resize(self_test_rows_at_most);
    cut_.rows = static_cast<int64_t>(chosen_.rows.size());
    for (int32_t i = 0; i < cut_.rows; ++i) in_order_.push_back(i);
  }

  // Fields of the data, values that were computed of them, and what is drawn.
  runtime::Split rows_for(const abi::EntryDesc& entry) {
    const auto table = raw_rows(*chosen_.table, chosen_.rows, entry.inputs);
    const auto add = [&](const runtime::Table& from) {
      const auto rows = raw_rows(from, in_order_, entry.inputs);
      for (runtime::Column& column : rows->columns)
        if (table->find(column.name) == nullptr) table->columns.push_back(std::move(column));
    };
    if (const language::Function* function = function_of(trained_, entry.name)) {
      runtime::Table drawn;
      drawn.rows = cut_.rows;
      for (const auto& field : drawn_fields(*function, entry.inputs, cut_.rows, 0))
        drawn.columns.push_back(column_of(field));
      add(drawn);
    }
    add(cut_);
    return runtime::all_rows(table);
  }

  const Trained& trained_;
  runtime::ThreadPool pool_;
  std::unique_ptr<CompiledModel> compiled_;
  runtime::Buffer state_;
  runtime::Dataset data_;
  runtime::Split chosen_;
  runtime::Table cut_;  // values at which functions cut, of the chosen rows
  std::vector<int32_t> in_order_;
};

}  // namespace

std::vector<std::vector<codegen::EmitRow>> self_test_rows(
    const Trained& trained, const std::vector<abi::EntryDesc>& entries) {
  Answers answers(trained, entries);
  std::vector<std::vector<codegen::EmitRow>> result;
  for (const abi::EntryDesc& entry : entries) result.push_back(answers.of(entry));
  return result;
}

}  // namespace nnc::workbench
