#include "tools/workbench/generated.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/support/text.h"
#include "runtime/data/load.h"
#include "runtime/threads.h"
#include "tools/workbench/cut_values.h"
#include "tools/workbench/drawn.h"
#include "tools/workbench/error.h"
#include "tools/workbench/input_rows.h"

namespace nnc::workbench {

namespace {

// What computes, of rows of the data, the values at which the function cuts the graph.
constexpr const char* codes_entry = "codes_of_rows";

std::vector<std::string> names_of(const std::vector<language::Function>& functions) {
  std::vector<std::string> names;
  for (const language::Function& function : functions) names.push_back(function.name.text);
  return names;
}

const language::Function& choose(const language::Description& description,
                                 const std::string& wanted) {
  const std::vector<language::Function>& all = description.functions;
  std::vector<const language::Function*> fitting;
  for (const language::Function& function : all) {
    if (wanted.empty() ? !function.draw.empty() : function.name.text == wanted)
      fitting.push_back(&function);
  }
  if (fitting.size() == 1) return *fitting[0];
  if (all.empty()) {
    throw WorkError(Fault::request, "this model has no functions, so nothing can be generated",
                    "functions: {decode: {inputs: [z], outputs: {picture: …}, draw: {z: "
                    "\"normal()\"}}} in the model file");
  }
  if (!wanted.empty()) {
    const auto near = nearest(wanted, names_of(all));
    throw WorkError(Fault::request,
                    fmt::format("there is no function {}{}", in_quotes(wanted),
                                near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                    join(names_of(all), "or"));
  }
  throw WorkError(Fault::request,
                  fitting.empty() ? "no function of this model draws anything"
                                  : "several functions draw: which of them?",
                  "--function " + join(names_of(all), "or --function "));
}

std::vector<int32_t> first_rows(int64_t count) {
  std::vector<int32_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

class Generator {
 public:
  Generator(const Trained& trained, const GenerateChoices& choices)
      : trained_(trained),
        choices_(choices),
        function_(choose(trained.model.description, choices.function)),
        threads_(std::max(1, threads_of(choices.compile))),
        pool_(threads_) {}

  Generated run() {
    compile();
    result_.function = function_.name.text;
    table_ = std::make_shared<runtime::Table>();
    table_->file = "generated rows";
    if (choices_.walk) {
      walk(*choices_.walk);
    } else if (!choices_.reconstruct.empty()) {
      reconstruct();
    } else {
      rows_ = choices_.rows;
    }
    table_->rows = rows_;
    given();
    draw();
    check_complete();
    result_.rows = rows_;
    result_.outputs = runtime::predict(compiled_->entry(function_.name.text),
                                       runtime::all_rows(table_), state_, pool_);
    return std::move(result_);
  }

 private:
  bool is_field(const std::string& name) const {
    return std::any_of(trained_.fields.begin(), trained_.fields.end(),
                       [&](const runtime::FieldInfo& field) { return field.name == name; });
  }

  // With one more function where codes of rows are wanted.
  void compile() {
    Model model = trained_.model;
    if (choices_.walk || !choices_.reconstruct.empty()) {
      std::vector<Name> values;
      for (const Name& input : function_.inputs)
        if (!is_field(input.text)) values.push_back(input);
      if (values.empty()) {
        throw WorkError(Fault::request,
                        fmt::format("the function {} takes no value that rows lead to",
                                    in_quotes(function_.name.text)),
                        "one that cuts the model at a named value");
      }
      model.description.functions.push_back(
          function_of_values(codes_entry, model.description, values));
    }
    CompileOptions options = compile_options(choices_.compile);
    options.training = false;
    compiled_ = compile_model(model, trained_.fields, options);
    state_ = trained_state(trained_, *compiled_);
    runtime::run_prelude(compiled_->has_entry("prelude") ? &compiled_->entry("prelude") : nullptr,
                         state_.data(), pool_);
  }

  const std::vector<abi::InputDesc>& inputs() {
    return compiled_->planned_entry(function_.name.text).inputs;
  }

  // The columns of `from` that the function takes, all rows.
  void take(const runtime::Table& from) {
    const auto rows = raw_rows(from, first_rows(from.rows), inputs());
    for (runtime::Column& column : rows->columns)
      if (table_->find(column.name) == nullptr) table_->columns.push_back(std::move(column));
  }

  std::vector<runtime::Prediction> codes_of(std::shared_ptr<const runtime::Table> rows) {
    return runtime::predict(compiled_->entry(codes_entry), runtime::all_rows(std::move(rows)),
                            state_, pool_);
  }

  void add_column(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<double>& numbers) {
    const auto input = std::find_if(inputs().begin(), inputs().end(),
                                    [&](const auto& desc) { return desc.name == name; });
    if (input == inputs().end()) return;
    runtime::Table made;
    made.rows = rows_;
    runtime::Column column;
    column.name = name;
    column.row_shape = shape;
    column.dtype = abi::DType::f64;
    column.bytes = runtime::Buffer(numbers.size() * sizeof(double));
    std::copy(numbers.begin(), numbers.end(), column.bytes.as<double>());
    made.columns.push_back(std::move(column));
    take(made);
  }

  // Rows of the data that were kept for judging, else those that were trained on.
  std::shared_ptr<const runtime::Table> data_rows(const std::vector<int64_t>& wanted) {
    const runtime::DataSpec& spec = trained_.model.data;
    const bool has_test = spec.test || spec.test_fraction;
    runtime::LoadOptions options{!has_test, false, has_test};
    options.raw = true;
    const runtime::Dataset data = runtime::load(spec, options);
    const runtime::Split& split = has_test ? data.test : data.train;
    std::vector<int32_t> rows;
    for (const int64_t row : wanted) {
      if (row < 0 || row >= split.size()) {
        throw WorkError(Fault::request, fmt::format("--walk: there is no row {}", row),
                        fmt::format("the {} rows count from 0 to {}", has_test ? "test" : "train",
                                    split.size() - 1));
      }
      rows.push_back(split.rows[static_cast<size_t>(row)]);
    }
    return raw_rows(*split.table, rows, compiled_->planned_entry(codes_entry).inputs);
  }

  // Codes on the straight line between those of two rows; fields are those of the first.
  void walk(const std::pair<int64_t, int64_t>& ends) {
    const auto rows = data_rows({ends.first, ends.second});
    rows_ = choices_.rows;
    for (const runtime::Prediction& code : codes_of(rows)) {
      const auto n = static_cast<size_t>(elements_of(code.shape));
      std::vector<double> numbers;
      for (int64_t row = 0; row < rows_; ++row) {
        const double share =
            rows_ > 1 ? static_cast<double>(row) / static_cast<double>(rows_ - 1) : 0;
        for (size_t i = 0; i < n; ++i)
          numbers.push_back((1 - share) * code.number(i) + share * code.number(n + i));
      }
      add_column(code.name, code.shape, numbers);
    }
    for (const Name& input : function_.inputs) {
      const runtime::Column* column = rows->find(input.text);
      if (column == nullptr || is_given(input.text)) continue;
      const auto n = static_cast<size_t>(column->row_elements());
      std::vector<double> numbers;
      for (size_t i = 0; i < static_cast<size_t>(rows_) * n; ++i)
        numbers.push_back(column->number(static_cast<int64_t>(i % n)));
      add_column(input.text, column->row_shape, numbers);
    }
  }

  void reconstruct() {
    const abi::EntryDesc& codes = compiled_->planned_entry(codes_entry);
    const InputRows all = read_input_rows({choices_.reconstruct}, trained_, codes, {});
    result_.notes = all.notes;
    rows_ = std::min(all.table->rows, choices_.rows);
    const std::shared_ptr<const runtime::Table> rows =
        raw_rows(*all.table, first_rows(rows_), codes.inputs);
    result_.originals = rows;
    for (const runtime::Prediction& code : codes_of(rows)) {
      const size_t count = static_cast<size_t>(rows_ * elements_of(code.shape));
      std::vector<double> numbers(count);
      for (size_t i = 0; i < count; ++i) numbers[i] = code.number(i);
      add_column(code.name, code.shape, numbers);
    }
    for (const runtime::Column& column : rows->columns)
      if (is_given(column.name)) return;  // what is given counts
    take(*rows);
  }

  bool is_given(const std::string& name) const {
    return std::any_of(choices_.in.begin(), choices_.in.end(), [&](const std::string& argument) {
      return argument.starts_with(name + "=");
    });
  }

  // --in NAME=VALUE[,VALUE…]
  void given() {
    for (const std::string& argument : choices_.in) {
      const size_t sign = argument.find('=');
      const std::string name = argument.substr(0, sign);
      const auto input = std::find_if(inputs().begin(), inputs().end(),
                                      [&](const auto& desc) { return desc.name == name; });
      if (sign == std::string::npos || input == inputs().end()) {
        std::vector<std::string> known;
        for (const abi::InputDesc& desc : inputs()) known.push_back(desc.name + "=…");
        throw WorkError(Fault::request,
                        fmt::format("--in {}: {} takes no such value", argument,
                                    in_quotes(function_.name.text)),
                        join(known, "or"));
      }
      if (elements_of(input->row_shape) != 1) {
        throw WorkError(Fault::request,
                        fmt::format("--in {}: this input is no single number", name),
                        "nnc predict --function reads whole rows from files");
      }
      std::vector<double> values;
      std::string rest = argument.substr(sign + 1);
      for (size_t comma = 0; comma != std::string::npos; rest = rest.substr(comma + 1)) {
        comma = rest.find(',');
        values.push_back(value_of(name, rest.substr(0, comma)));
        if (comma == std::string::npos) break;
      }
      std::vector<double> numbers;
      for (int64_t row = 0; row < rows_; ++row)
        numbers.push_back(values[static_cast<size_t>(row) % values.size()]);
      add_column(name, input->row_shape, numbers);
    }
  }

  // A number, or the word of a class.
  double value_of(const std::string& name, const std::string& text) const {
    const auto field =
        std::find_if(trained_.fields.begin(), trained_.fields.end(),
                     [&](const runtime::FieldInfo& info) { return info.name == name; });
    const auto number = parse_number(text);
    if (field == trained_.fields.end() || field->classes == 0) {
      if (number) return *number;
      throw WorkError(Fault::request, fmt::format("--in {}={}: this is no number", name, text));
    }
    const auto& words = field->vocabulary;
    const auto word = std::find(words.begin(), words.end(), text);
    if (word != words.end()) return static_cast<double>(word - words.begin());
    const bool fits = number && *number == std::floor(*number) && *number >= 0 &&
                      *number < static_cast<double>(field->classes);
    if (fits) return *number;
    throw WorkError(Fault::request, fmt::format("--in {}={}: there is no such class", name, text),
                    words.empty() ? fmt::format("0 to {}", field->classes - 1) : join(words, "or"));
  }

  void draw() {
    std::vector<abi::InputDesc> missing;
    for (const abi::InputDesc& input : inputs())
      if (table_->find(input.name) == nullptr) missing.push_back(input);
    for (runtime::InlineField& field : drawn_fields(function_, missing, rows_, choices_.seed))
      add_column(field.field, field.row_shape, field.numbers);
  }

  void check_complete() {
    for (const abi::InputDesc& input : inputs()) {
      if (table_->find(input.name) != nullptr) continue;
      const bool number = elements_of(input.row_shape) == 1;
      throw WorkError(Fault::request,
                      fmt::format("the function {} needs {}", in_quotes(function_.name.text),
                                  in_quotes(input.name)),
                      number ? fmt::format("--in {}=VALUE", input.name)
                             : fmt::format("draw: {{{}: \"normal()\"}} in the function, --walk or "
                                           "--reconstruct",
                                           input.name));
    }
  }

  const Trained& trained_;
  const GenerateChoices& choices_;
  const language::Function& function_;
  int threads_;
  runtime::ThreadPool pool_;
  std::unique_ptr<CompiledModel> compiled_;
  runtime::Buffer state_;
  std::shared_ptr<runtime::Table> table_;
  int64_t rows_ = 0;
  Generated result_;
};

}  // namespace

Generated generate(const Trained& trained, const GenerateChoices& choices) {
  return Generator(trained, choices).run();
}

}  // namespace nnc::workbench
