// nnc emit: a trained model as standalone C++.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "compiler/codegen/emit.h"
#include "compiler/codegen/emit_c_header.h"
#include "compiler/jit/jit.h"
#include "runtime/atomic_file.h"
#include "runtime/data/load.h"
#include "runtime/inference.h"
#include "tools/nnc/emit_levels.h"
#include "tools/nnc/input_rows.h"
#include "tools/nnc/terminal.h"
#include "tools/nnc/trained.h"
#include "tools/nnc/version.h"

namespace nnc::tool {

namespace fs = std::filesystem;

namespace {

constexpr size_t self_test_rows = 16;

struct Flags {
  std::string run;
  std::string out;
  std::string weights = "header";
  std::string target;
  bool self_test = false;
  bool object = false;
};

std::vector<double> row_of(const runtime::Column& column, int64_t row) {
  std::vector<double> values;
  const int64_t n = column.row_elements();
  for (int64_t i = 0; i < n; ++i) values.push_back(column.number(row * n + i));
  return values;
}

std::vector<double> row_of(const runtime::Prediction& output, size_t row) {
  size_t n = 1;
  for (int64_t d : output.shape) n *= static_cast<size_t>(d);
  std::vector<double> values;
  for (size_t i = row * n; i < (row + 1) * n; ++i) {
    values.push_back(output.dtype == abi::DType::f64
                         ? output.values.as<double>()[i]
                         : static_cast<double>(output.values.as<float>()[i]));
  }
  return values;
}

// Real rows (of the test split, else valid, else train) with the answers of the trained program.
std::vector<codegen::EmitRow> answers(const Trained& trained, const abi::EntryDesc& description) {
  const runtime::DataSpec& spec = trained.model.data;
  const bool has_test = spec.test || spec.test_fraction;
  const runtime::Dataset data = runtime::load(spec, {!has_test, false, has_test});
  runtime::Split chosen = has_test ? data.test : data.train;
  if (chosen.rows.size() > self_test_rows) chosen.rows.resize(self_test_rows);
  const runtime::Split split =
      runtime::all_rows(raw_rows(*chosen.table, chosen.rows, trained.model.description));
  CompileOptions options;
  options.training = false;
  const auto compiled = compile_model(trained.model, trained.fields, options, false);
  runtime::Buffer state = trained_state(trained, *compiled);
  runtime::ThreadPool pool(1);
  runtime::run_prelude(compiled->has_entry("prelude") ? &compiled->entry("prelude") : nullptr,
                       state.data(), pool);
  const auto outputs = runtime::predict(compiled->entry("predict"), split, state, pool);
  std::vector<codegen::EmitRow> rows;
  for (size_t i = 0; i < split.rows.size(); ++i) {
    codegen::EmitRow row;
    for (const abi::InputDesc& input : description.inputs) {
      row.inputs.push_back(row_of(*split.table->find(input.name), split.rows[i]));
    }
    for (const runtime::Prediction& output : outputs) row.outputs.push_back(row_of(output, i));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<double> scalar_values(const abi::EntryDesc& description) {
  std::vector<double> values;
  for (const std::string& name : description.scalars) values.push_back(name == "step" ? 1 : 0);
  return values;
}

std::string summary(const Trained& trained, const CompiledModel& compiled) {
  std::string text = fmt::format("Written by nnc {} from the run {}: {} parameters.", version,
                                 fs::path(trained.folder).filename().string(),
                                 with_commas(compiled.program().parameters));
  for (const spec::LayerSummary& layer : compiled.forward().layers) {
    text +=
        fmt::format("\n  {:<16}{:<12}{}", layer.name, layer.kind, shape_text(layer.output_shape));
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

// Words are looked up before: the header takes their indices.
codegen::EmitValue emitted_input(const abi::InputDesc& input, const Trained& trained) {
  constexpr size_t most_shown = 8;
  codegen::EmitValue value{input.name, input.dtype, input.row_shape, "raw, as in the data"};
  for (const runtime::FieldInfo& field : trained.fields) {
    if (field.name != input.name || field.classes == 0) continue;
    value.words = field.vocabulary;
    value.comment = fmt::format("an index, 0 … {}", field.classes - 1);
    for (size_t i = 0; i < std::min(most_shown, field.vocabulary.size()); ++i)
      value.comment += fmt::format("{} {} for {}", i == 0 ? ":" : ",", i, field.vocabulary[i]);
    if (field.vocabulary.size() > most_shown) value.comment += ", …";
  }
  return value;
}

codegen::EmitRequest request_for(const Trained& trained, CompiledModel& compiled,
                                 const EmitLevels& levels, const Flags& flags) {
  codegen::EmitRequest request;
  request.model = trained.manifest.model_name;
  request.summary = summary(trained, compiled);
  for (const abi::InputDesc& input : levels.description.inputs) {
    request.inputs.push_back(emitted_input(input, trained));
  }
  for (const abi::OutputDesc& output : levels.description.outputs) {
    request.outputs.push_back({output.name, output.dtype, output.shape, ""});
  }
  request.states = compiled.states_of("predict");
  request.state = emitted_state(trained, compiled, request.states);
  request.levels = levels.levels;
  request.scalars = scalar_values(levels.description);
  request.block_rows = levels.block_rows;
  request.few_rows = levels.few_rows;
  const bool f64 = trained.model.description.precision == spec::Precision::f64;
  request.tolerance = f64 ? 1e-12 : 1e-5;
  if (flags.weights == "file") request.weights = codegen::EmitWeights::file;
  if (flags.weights == "object") request.weights = codegen::EmitWeights::object;
  if (kernel::host_target().isa == kernel::Isa::neon) {
    request.machine = codegen::ObjectMachine::aarch64;
  }
  if (flags.self_test) request.rows = answers(trained, levels.description);
  return request;
}

void write(const fs::path& path, std::string_view bytes, const std::string& note) {
  runtime::write_atomically(path.string(), bytes);
  fmt::print("{}  {}{}\n", path.string(), bytes_text(static_cast<double>(bytes.size())), note);
}

kernel::Target object_target(const Flags& flags) {
  if (flags.target.empty()) return kernel::host_target();
  kernel::Isa isa;
  if (!kernel::parse_isa(flags.target, isa)) {
    throw CommandError(Exit::usage, fmt::format("--target: nothing is called '{}'", flags.target),
                       "one of sse2, avx2, avx512 and neon");
  }
  return kernel::target_for(isa);
}

// Machine code, weights and a C header.
void write_object(const Flags& flags, const Trained& trained, CompiledModel& compiled,
                  const fs::path& out) {
  const kernel::Target target = object_target(flags);
  ObjectKernels kernels = lower_for_object(compiled, "predict", target);
  EmitLevels interface;
  interface.description = kernels.description;
  interface.block_rows = kernels.block_rows;
  interface.few_rows = kernels.few_rows;
  fs::path header = out;
  header.replace_extension(".h");
  codegen::EmitRequest request = request_for(trained, compiled, interface, flags);
  request.header_name = header.filename().string();
  const size_t arena_bytes = kernels.arena_bytes;
  const kernel::Module module =
      codegen::join_for_object(request, std::move(kernels.row), std::move(kernels.block));
  const std::vector<uint8_t> bytes = jit::emit_object(module, target);
  write(out, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
        std::string(", ") + kernel::name_of(target.isa));
  const bool arm = target.isa == kernel::Isa::neon;
  const codegen::EmittedFile weights = codegen::weights_object(
      request, arm ? codegen::ObjectMachine::aarch64 : codegen::ObjectMachine::x86_64);
  write(out.parent_path() / weights.name, weights.bytes, "");
  write(header,
        codegen::emit_c_header(request, arena_bytes, header.filename().string(),
                               out.filename().string()),
        "");
}

// Options that would do nothing.
void check_flags(const Flags& flags) {
  if (!flags.object && !flags.target.empty())
    throw CommandError(Exit::usage, "--target is for objects: a header runs on any processor",
                       "--object writes an object file");
  if (flags.object && flags.self_test)
    throw CommandError(Exit::usage, "--self-test tests a header, and --object writes none for C++",
                       "one of the two");
  const std::string ending = fs::path(flags.out).extension().string();
  if (flags.object && (ending == ".hpp" || ending == ".h"))
    throw CommandError(Exit::usage, fmt::format("{}: an object file is no header", flags.out),
                       "-o NAME.o; a C header NAME.h is written beside it");
}

Exit emit(const Flags& flags) {
  check_flags(flags);
  const Trained trained = open_trained(flags.run);
  CompileOptions options;
  options.training = false;
  const auto compiled = compile_model(trained.model, trained.fields, options, false);
  const std::string base = codegen::cpp_identifier(trained.manifest.model_name);
  const std::string ending = flags.object ? ".o" : ".hpp";
  const fs::path out = flags.out.empty() ? fs::path(base + ending) : fs::path(flags.out);
  if (flags.object) {
    write_object(flags, trained, *compiled, out);
    return Exit::done;
  }
  const EmitLevels levels = lower_levels(*compiled, "predict");
  codegen::EmitRequest request = request_for(trained, *compiled, levels, flags);
  request.header_name = out.filename().string();
  std::string self_test, weights_object;
  for (const codegen::EmittedFile& file : codegen::emit(request)) {
    const fs::path path = out.parent_path() / file.name;
    write(path, file.bytes, "");
    if (path.extension() == ".cpp") self_test = path.string();
    if (path.extension() == ".o") weights_object = " " + shell_word(path.string());
  }
  if (!self_test.empty()) {
    fmt::print("\nTo test it:\n  g++ -std=c++17 -O2 -march=native {}{} -o selftest && ./selftest\n",
               shell_word(self_test), weights_object);
  }
  return Exit::done;
}

}  // namespace

void add_emit(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("emit", "a trained run as one C++17 header");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder")->required();
  sub->add_option("-o,--out", flags->out, "the header (default: NAME.hpp)");
  sub->add_flag("--self-test", flags->self_test,
                "also a program that checks the header with real rows");
  sub->add_option("--weights", flags->weights,
                  "inside the header, in an object file to link, or in a file to load")
      ->check(CLI::IsMember({"header", "object", "file"}))
      ->capture_default_str();
  sub->add_flag("--object", flags->object,
                "object files of code and weights with a C header, instead of the C++ header");
  sub->add_option("--target", flags->target, "of the object: sse2, avx2, avx512 or neon (aarch64)");
  sub->callback([&action, flags] { action = [flags] { return emit(*flags); }; });
}

}  // namespace nnc::tool
