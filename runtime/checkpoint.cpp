#include "runtime/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/data/error.h"
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

Progress progress_from(const Json& json) {
  Progress p;
  json.at("epoch").get_to(p.epoch);
  json.at("step").get_to(p.step);
  json.at("batch").get_to(p.batch);
  json.at("seed").get_to(p.seed);
  json.at("batch_size").get_to(p.batch_size);
  json.at("best_epoch").get_to(p.best_epoch);
  json.at("best_value").get_to(p.best_value);
  json.at("early_stop_value").get_to(p.early_stop_value);
  json.at("epochs_without_improvement").get_to(p.epochs_without_improvement);
  json.at("seconds").get_to(p.seconds);
  json.at("epoch_seconds").get_to(p.epoch_seconds);
  for (const Json& sum : json.at("sums")) {
    p.sums.push_back(sum.is_null() ? std::nan("") : sum.get<double>());
  }
  return p;
}

}  // namespace

std::string weights_path(const std::string& run_folder) {
  return run_folder + "/weights.safetensors";
}

std::string checkpoint_path(const std::string& run_folder) {
  return run_folder + "/checkpoint/last.safetensors";
}

void save_weights(const std::string& path, const abi::Program& program, const Buffer& state,
                  const std::map<std::string, std::string>& metadata) {
  write_safetensors(path, OrderedStates(program, state, false).tensors, metadata);
}

std::map<std::string, std::string> load_weights(const std::string& path,
                                                const abi::Program& program, Buffer& state) {
  TensorFile file = read_safetensors(path);
  copy_tensors(path, file, program, state, false);
  return std::move(file.metadata);
}

void save_checkpoint(const std::string& path, const abi::Program& program, const Buffer& state,
                     const Progress& progress, const std::map<std::string, std::string>& metadata) {
  std::map<std::string, std::string> all = metadata;
  all["training"] = to_json(progress).dump();
  write_safetensors(path, OrderedStates(program, state, true).tensors, all);
}

Progress load_checkpoint(const std::string& path, const abi::Program& program, Buffer& state) {
  const TensorFile file = read_safetensors(path);
  copy_tensors(path, file, program, state, true);
  const auto training = file.metadata.find("training");
  if (training == file.metadata.end()) {
    throw DataError(path, "", "this is not a checkpoint of training", "checkpoint/last.safetensors",
                    "weights alone");
  }
  try {
    return progress_from(Json::parse(training->second));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(path, "", "the checkpoint is damaged", "", error.what());
  }
}

}  // namespace nnc::runtime
