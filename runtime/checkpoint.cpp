#include "runtime/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "runtime/data/error.h"
#include "runtime/json_reader.h"
#include "runtime/safetensors.h"
#include "runtime/state.h"

namespace nnc::runtime {
namespace {

using Json = nlohmann::ordered_json;

bool stored(const abi::StateDesc& desc, bool with_optimizer) {
  if (desc.kind == abi::StateKind::derived) return false;
  return with_optimizer || desc.kind != abi::StateKind::optimizer;
}

// States in the order of their shapes, whatever it is in the slab.
struct OrderedStates {
  std::vector<Tensor> tensors;
  std::vector<Buffer> moved;  // of those that lie otherwise there

  OrderedStates(const abi::Program& program, const Buffer& state, bool with_optimizer) {
    for (const abi::StateDesc& desc : program.states) {
      if (!stored(desc, with_optimizer)) continue;
      const void* data = state.as<char>() + desc.offset;
      if (desc.panel > 0) {
        moved.emplace_back(desc.elements() * abi::size_of(desc.dtype));
        read_state(desc, state, moved.back().data());
        data = moved.back().data();
      }
      tensors.push_back({desc.name, desc.dtype, desc.shape, data});
    }
  }
};

void copy_tensors(const std::string& path, const TensorFile& file, const abi::Program& program,
                  Buffer& state, bool with_optimizer) {
  size_t used = 0;
  for (const abi::StateDesc& desc : program.states) {
    if (!stored(desc, with_optimizer)) continue;
    const Tensor* tensor = file.find(desc.name);
    if (tensor == nullptr) {
      throw DataError(path, "", fmt::format("there are no weights '{}'", desc.name),
                      "the weights of the model as it is now");
    }
    if (tensor->shape != desc.shape || tensor->dtype != desc.dtype) {
      throw DataError(path, "", fmt::format("'{}' does not fit the model", desc.name),
                      fmt::format("[{}]{}", fmt::join(desc.shape, ", "),
                                  tensor->dtype == desc.dtype ? "" : " of another type"),
                      fmt::format("[{}]", fmt::join(tensor->shape, ", ")));
    }
    write_state(desc, tensor->data, state);
    ++used;
  }
  if (used == file.tensors.size()) return;
  for (const Tensor& tensor : file.tensors) {
    bool known = false;
    for (const abi::StateDesc& desc : program.states) known = known || desc.name == tensor.name;
    if (!known) {
      throw DataError(path, "", fmt::format("'{}' is not part of the model", tensor.name),
                      "the weights of the model as it is now");
    }
  }
}

Json to_json(const Progress& p) {
  return {{"epoch", p.epoch},
          {"step", p.step},
          {"batch", p.batch},
          {"seed", p.seed},
          {"batch_size", p.batch_size},
          {"best_epoch", p.best_epoch},
          {"best_value", p.best_value},
          {"early_stop_value", p.early_stop_value},
          {"epochs_without_improvement", p.epochs_without_improvement},
          {"seconds", p.seconds},
          {"epoch_seconds", p.epoch_seconds},
          {"sums", p.sums}};
}

Progress progress_from(const JsonReader& json) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  constexpr int64_t most_epochs = std::numeric_limits<uint32_t>::max();  // shuffled by 32 bits
  Progress p;
  p.epoch = json.at("epoch").integer(0, most_epochs);
  p.step = json.at("step").integer(0, most);
  p.batch = json.at("batch").integer(0, std::numeric_limits<int32_t>::max());
  p.seed = json.at("seed").natural();
  p.batch_size = json.at("batch_size").integer(std::numeric_limits<int64_t>::min(), most);
  p.best_epoch = json.at("best_epoch").integer(0, p.epoch + 1);
  p.best_value = json.at("best_value").number();
  p.early_stop_value = json.at("early_stop_value").number();
  p.epochs_without_improvement = json.at("epochs_without_improvement").integer(0, most_epochs);
  p.seconds = json.at("seconds").number();
  p.epoch_seconds = json.at("epoch_seconds").number();
  for (const JsonReader& sum : json.at("sums").items()) p.sums.push_back(sum.number_or_null());
  return p;
}

}  // namespace

Destination weights_file(const std::string& run_folder) {
  return {run_folder, "weights.safetensors"};
}

Destination checkpoint_file(const std::string& run_folder) {
  return {run_folder, "checkpoint/last.safetensors"};
}

std::string save_weights(const Destination& to, const abi::Program& program, const Buffer& state,
                         const std::map<std::string, std::string>& metadata) {
  return write_safetensors(to, OrderedStates(program, state, false).tensors, metadata);
}

std::map<std::string, std::string> load_weights(const std::string& path,
                                                const abi::Program& program, Buffer& state) {
  TensorFile file = read_safetensors(path);
  copy_tensors(path, file, program, state, false);
  return std::move(file.metadata);
}

void save_checkpoint(const Destination& to, const abi::Program& program, const Buffer& state,
                     const Progress& progress, const std::map<std::string, std::string>& metadata) {
  std::map<std::string, std::string> all = metadata;
  all["training"] = to_json(progress).dump();
  write_safetensors(to, OrderedStates(program, state, true).tensors, all);
}

Progress load_checkpoint(const std::string& path, const abi::Program& program, Buffer& state) {
  const TensorFile file = read_safetensors(path);
  copy_tensors(path, file, program, state, true);
  const auto training = file.metadata.find("training");
  if (training == file.metadata.end()) {
    throw DataError(path, "", "this is not a checkpoint of training", "checkpoint/last.safetensors",
                    "weights alone");
  }
  const Json json = parse_json(training->second, path);
  return progress_from(JsonReader(json, path, "training"));
}

}  // namespace nnc::runtime
