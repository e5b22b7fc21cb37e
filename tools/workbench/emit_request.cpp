#include "tools/workbench/emit_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "compiler/kernel/target.h"
#include "runtime/inference.h"
#include "runtime/run_folder.h"
#include "tools/workbench/emit_rows.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/run.h"
#include "tools/workbench/version.h"

namespace nnc::workbench {

namespace fs = std::filesystem;

namespace {

std::vector<double> scalar_values(const abi::EntryDesc& description) {
  std::vector<double> values;
  for (const std::string& name : description.scalars) values.push_back(name == "step" ? 1 : 0);
  return values;
}

std::string summary(const Trained& trained, const CompiledModel& compiled) {
  std::string text = fmt::format("Written by nnc {} from the run {}: {} parameters.", version,
                                 fs::path(trained.folder).filename().string(),
                                 with_commas(compiled.program().parameters));
  for (const assemble::LayerSummary& layer : compiled.forward().layers) {
    text +=
        fmt::format("\n  {:<15} {:<11} {}", layer.name, layer.kind, shape_text(layer.output_shape));
  }
  return text;
}

// The weights as prediction reads them, up to the last one that it needs; what depends on weights
// only is computed here once and for all.
std::vector<uint8_t> emitted_state(const Trained& trained, CompiledModel& compiled,
                                   const std::vector<abi::StateDesc>& needed) {
  runtime::Buffer state = trained_state(trained, compiled);
  runtime::ThreadPool pool(1);
  runtime::run_prelude(compiled.has_entry("prelude") ? &compiled.entry("prelude") : nullptr,
                       state.data(), pool);
  size_t end = 0;
  for (const abi::StateDesc& desc : needed) {
    end = std::max(end, desc.offset + desc.elements() * abi::size_of(desc.dtype));
  }
  return {state.as<uint8_t>(), state.as<uint8_t>() + end};
}

size_t elements_of(const abi::InputDesc& input) {
  return static_cast<size_t>(nnc::elements_of(input.row_shape));
}

// The columns of the csv file that a field was made of; none if it was not, or has other numbers.
std::vector<std::string> columns_of(const abi::InputDesc& input, const Trained& trained) {
  if (!trained.model.data.train) return {};
  const auto* csv = std::get_if<runtime::CsvSource>(&trained.model.data.train->kind);
  if (csv == nullptr || !csv->header) return {};
  for (const runtime::CsvColumns& columns : csv->columns)
    if (columns.field == input.name && columns.columns.size() == elements_of(input))
      return columns.columns;
  return {};
}

// Pictures that nnc has decoded itself.
std::string channels_of(const abi::InputDesc& input, const Trained& trained) {
  if (!trained.model.data.train || input.row_shape.size() != 3) return "";
  const auto* images = std::get_if<runtime::ImagesSource>(&trained.model.data.train->kind);
  if (images == nullptr || images->field != input.name) return "";
  return images->channels == 3 ? "RGB" : "grey";
}

codegen::EmitValue emitted_output(const abi::OutputDesc& output, const std::string& entry,
                                  const Trained& trained, const CompiledModel& compiled) {
  codegen::EmitValue value{output.name, output.dtype, output.shape, ""};
  value.classes = output_words(trained, compiled, entry, output.name);
  for (const assemble::OutputInfo& info : outputs_of(compiled, entry))
    if (info.name == output.name && !info.units.empty())
      value.comment = "in the units of " + info.units;
  return value;
}

// Words are looked up before: the header takes their indices.
codegen::EmitValue emitted_input(const abi::InputDesc& input, const Trained& trained) {
  constexpr size_t most_shown = 8;
  codegen::EmitValue value{input.name, input.dtype, input.row_shape, "raw, as in the data"};
  const bool is_field = std::any_of(trained.fields.begin(), trained.fields.end(),
                                    [&](const auto& field) { return field.name == input.name; });
  if (!is_field) {
    value.comment = "a value of the model";
    return value;
  }
  const bool f64 = trained.model.description.precision == language::Precision::f64;
  if (input.dtype == abi::DType::f64 && !f64)
    value.comment += "; floats cannot tell these numbers apart";
  value.columns = columns_of(input, trained);
  value.channels = channels_of(input, trained);
  for (const runtime::FieldInfo& field : trained.fields) {
    if (field.name != input.name) continue;
    value.bytes = field.dtype == abi::DType::u8;
    if (field.classes == 0) continue;
    value.words = field.vocabulary;
    value.comment = fmt::format("an index, 0 … {}", field.classes - 1);
    for (size_t i = 0; i < std::min(most_shown, field.vocabulary.size()); ++i)
      value.comment += fmt::format("{} {} for {}", i == 0 ? ":" : ",", i, field.vocabulary[i]);
    if (field.vocabulary.size() > most_shown) value.comment += ", …";
  }
  return value;
}

codegen::EmitFunction emitted_function(const EmitLevels& levels, const Trained& trained,
                                       const CompiledModel& compiled) {
  const abi::EntryDesc& entry = levels.description;
  codegen::EmitFunction function;
  function.name = entry.name;
  for (const abi::InputDesc& input : entry.inputs)
    function.inputs.push_back(emitted_input(input, trained));
  for (const abi::OutputDesc& output : entry.outputs)
    function.outputs.push_back(emitted_output(output, entry.name, trained, compiled));
  function.levels = levels.levels;
  function.scalars = scalar_values(entry);
  function.block_rows = levels.block_rows;
  function.few_rows = levels.few_rows;
  return function;
}

// What any of the entries reads, in the order of the places.
std::vector<abi::StateDesc> states_of(const std::vector<abi::EntryDesc>& entries,
                                      CompiledModel& compiled) {
  std::set<std::string> read;
  for (const abi::EntryDesc& entry : entries)
    for (const abi::StateDesc& state : compiled.states_of(entry.name)) read.insert(state.name);
  std::vector<abi::StateDesc> states;
  for (const abi::StateDesc& state : compiled.program().states)
    if (read.count(state.name) > 0) states.push_back(state);
  return states;
}

}  // namespace

CompileOptions emit_options(const std::vector<std::string>& functions) {
  CompileOptions options;
  options.called = functions;
  options.training = false;
  options.float_inputs = true;
  return options;
}

codegen::EmitRequest emit_request(const Trained& trained, CompiledModel& compiled,
                                  const std::vector<EmitLevels>& functions,
                                  const EmitChoices& choices) {
  codegen::EmitRequest request;
  request.model = trained.manifest.model_name;
  request.name = choices.name;
  if (!trained.folder.empty()) {
    request.run = fs::path(trained.folder).filename().string();
    request.file_hash = runtime::hash_file(model_path_in(trained.folder));
  }
  request.summary = summary(trained, compiled);
  std::vector<abi::EntryDesc> entries;
  for (const EmitLevels& levels : functions) {
    request.functions.push_back(emitted_function(levels, trained, compiled));
    entries.push_back(levels.description);
  }
  request.states = states_of(entries, compiled);
  request.state = emitted_state(trained, compiled, request.states);
  const bool f64 = trained.model.description.precision == language::Precision::f64;
  request.tolerance = f64 ? 1e-12 : 1e-5;
  request.weights = choices.weights;
  if (kernel::host_target().isa == kernel::Isa::neon) {
    request.machine = codegen::ObjectMachine::aarch64;
  }
  if (choices.self_test) {
    auto rows = self_test_rows(trained, entries);
    for (size_t f = 0; f < rows.size(); ++f) request.functions[f].rows = std::move(rows[f]);
  }
  return request;
}

}  // namespace nnc::workbench
