#include "tools/workbench/initial.h"

#include <algorithm>
#include <map>

#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"
#include "runtime/checkpoint.h"
#include "runtime/data/error.h"
#include "runtime/safetensors.h"
#include "runtime/state.h"
#include "runtime/unit_variance.h"
#include "tools/workbench/readable.h"

namespace nnc::workbench {

namespace {

// The weights files of runs, each read once.
class Runs {
 public:
  const runtime::TensorFile& of(const language::InitFrom& init) {
    const std::string& folder = init.folder.value;
    if (const auto known = files_.find(folder); known != files_.end()) return known->second;
    try {
      return files_.emplace(folder, runtime::read_safetensors(runtime::weights_path(folder)))
          .first->second;
    } catch (const runtime::DataError& error) {
      throw UserError(init.folder.span, "there are no weights of a run in " + in_quotes(folder),
                      "a folder that `nnc train` has written", error.what());
    }
  }

 private:
  std::map<std::string, runtime::TensorFile> files_;
};

// The layers that have weights in a run.
std::vector<std::string> layers_in(const runtime::TensorFile& file) {
  std::vector<std::string> layers;
  for (const runtime::Tensor& tensor : file.tensors) {
    const std::string layer = tensor.name.substr(0, tensor.name.rfind('.'));
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  }
  return layers;
}

const runtime::Tensor& tensor_of(const runtime::TensorFile& file, const Borrowed& borrowed,
                                 const abi::StateDesc& state) {
  const runtime::Tensor* tensor = file.find(borrowed.name);
  if (tensor == nullptr) {
    const std::string layer = borrowed.name.substr(0, borrowed.name.rfind('.'));
    const std::vector<std::string> known = layers_in(file);
    const auto near = nearest(layer, known);
    throw UserError(borrowed.span,
                    "the run " + in_quotes(borrowed.folder) + " has no weights " +
                        in_quotes(borrowed.name) +
                        (near && *near != layer ? "; did you mean " + in_quotes(*near) + "?" : ""),
                    "init: {from: …, name: " + join(known, "or") + "}");
  }
  if (tensor->shape != state.shape) {
    throw UserError(borrowed.span,
                    in_quotes(state.name) + " has another shape than " + in_quotes(borrowed.name) +
                        " of the run " + in_quotes(borrowed.folder),
                    shape_text(state.shape), shape_text(tensor->shape));
  }
  return *tensor;
}

// `layer` owns the states that are called layer.NAME.
std::vector<Borrowed> of_layer(const language::Layer& layer, const abi::Program& program) {
  std::vector<Borrowed> result;
  for (const abi::StateDesc& state : program.states) {
    const bool kept =
        state.kind == abi::StateKind::parameter || state.kind == abi::StateKind::statistic;
    const size_t dot = state.name.rfind('.');
    if (!kept || dot == std::string::npos || state.name.substr(0, dot) != layer.name) continue;
    const language::InitFrom& init = *layer.init_from;
    result.push_back(
        {state.name, init.folder.value, init.name + state.name.substr(dot), init.folder.span});
  }
  return result;
}

template <class Body>
void each_borrowed(const language::Description& description, const abi::Program& program,
                   const Body& body) {
  Runs runs;
  for (const language::Layer& layer : description.model.layers) {
    if (!layer.init_from) continue;
    const std::vector<Borrowed> states = of_layer(layer, program);
    for (const Borrowed& borrowed : states) {
      const auto state =
          std::find_if(program.states.begin(), program.states.end(),
                       [&](const abi::StateDesc& desc) { return desc.name == borrowed.state; });
      body(borrowed, *state, tensor_of(runs.of(*layer.init_from), borrowed, *state));
    }
  }
}

template <class To, class From>
std::vector<To> converted(const void* from, size_t count) {
  const From* numbers = static_cast<const From*>(from);
  return {numbers, numbers + count};
}

void copy(const abi::StateDesc& state, const runtime::Tensor& tensor, runtime::Buffer& slab) {
  if (tensor.dtype == state.dtype) return runtime::write_state(state, tensor.data, slab);
  const size_t n = state.elements();
  if (state.dtype == abi::DType::f64)
    return runtime::write_state(state, converted<double, float>(tensor.data, n).data(), slab);
  runtime::write_state(state, converted<float, double>(tensor.data, n).data(), slab);
}

}  // namespace

std::vector<Borrowed> borrowed_states(const language::Description& description,
                                      const abi::Program& program) {
  std::vector<Borrowed> result;
  each_borrowed(description, program,
                [&](const Borrowed& borrowed, const abi::StateDesc&, const runtime::Tensor&) {
                  result.push_back(borrowed);
                });
  return result;
}

runtime::Buffer initial_state(const language::Description& description, CompiledModel& compiled,
                              const runtime::Dataset& data, uint64_t seed,
                              runtime::ThreadPool& pool, Begin begin) {
  const abi::Program& program = compiled.program();
  runtime::Buffer state = runtime::initial_state(program, seed, data.fitted);
  if (begin == Begin::again) return state;
  each_borrowed(description, program,
                [&](const Borrowed&, const abi::StateDesc& desc, const runtime::Tensor& tensor) {
                  copy(desc, tensor, state);
                });
  if (compiled.has_entry("unit_variance"))
    runtime::make_unit_variance(program, compiled.entry("unit_variance"), data.train, state, pool);
  return state;
}

}  // namespace nnc::workbench
