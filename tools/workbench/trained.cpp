#include "tools/workbench/trained.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "runtime/checkpoint.h"
#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "runtime/data/statistics.h"
#include "runtime/state.h"
#include "tools/workbench/data_place.h"
#include "tools/workbench/data_spec.h"
#include "tools/workbench/error.h"
#include "tools/workbench/reporter.h"

namespace nnc::workbench {

namespace fs = std::filesystem;

namespace {

void warn_of_failure(const std::string& folder, const nlohmann::ordered_json& facts) {
  const auto failed = facts.find("failed_in_epoch");
  if (failed == facts.end() || !failed->is_number_integer()) return;
  const auto epoch = failed->get<int64_t>();
  reporter().warning(
      fmt::format("the training of {} failed in epoch {}: {}", folder, epoch,
                  epoch > 1 ? "these are weights of an epoch before"
                            : "these are its initial weights, which have learned nothing"));
}

// The fields of the manifest must be those that the model speaks of, or rows would be read as
// something else.
void check_fields(const Trained& trained) {
  const std::string path = manifest_path_in(trained.folder);
  const auto info_of = [&](const std::string& name) {
    const auto& fields = trained.manifest.fields;
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.name == name; });
    return found == fields.end() ? nullptr : &*found;
  };
  for (const Name& input : trained.model.description.model.inputs) {
    if (info_of(input.text) != nullptr) continue;
    throw runtime::DataError(path, "fields",
                             "the model's input " + in_quotes(input.text) + " is not among them");
  }
  for (const runtime::FieldSpec& said : trained.model.data.fields) {
    const runtime::FieldInfo* info = info_of(said.name);
    if (info == nullptr) continue;
    const auto classes = static_cast<int64_t>(said.names.size());
    const bool fits = said.is_index() == (info->classes > 0) &&
                      (said.classes == 0 || said.classes == info->classes) &&
                      (classes == 0 || classes == info->classes) &&
                      (said.names.empty() || said.names == info->vocabulary) &&
                      (!said.shape || *said.shape == info->row_shape);
    if (fits) continue;
    throw runtime::DataError(path, "fields", in_quotes(said.name) + " is not as model.yaml says");
  }
}

}  // namespace

Trained open_trained(const std::string& run_or_file, const std::vector<std::string>& overrides) {
  Trained result;
  if (fs::is_regular_file(run_or_file)) {
    result.model = read_model(run_or_file, overrides);
    result.manifest.model_name = result.model.description.name;
    result.manifest.model_path = run_or_file;
    reading_data(result.model, [&] { result.fields = probe_fields(result.model); });
    return result;
  }
  result.folder = run_or_file;
  while (result.folder.size() > 1 && result.folder.back() == '/') result.folder.pop_back();
  nlohmann::ordered_json facts;
  result.manifest = read_manifest(result.folder, &facts);
  warn_of_failure(result.folder, facts);
  result.knows_units = facts.contains("units");
  const std::string path = model_path_in(result.folder);
  // The paths of a run's model are absolute; those of --data start where the user is.
  result.model = overrides.empty()
                     ? read_model(path, {})
                     : read_model_text(runtime::read_text(path), "model.yaml", overrides);
  result.manifest.model_name = result.model.description.name;  // which the parser has checked
  check_fields(result);
  result.fields = result.manifest.fields;
  set_trained(result.model.data, result.manifest);
  return result;
}

runtime::Buffer trained_state(const Trained& trained, const CompiledModel& compiled) {
  const abi::Program& program = compiled.program();
  if (trained.folder.empty()) {
    // Frozen weights need no training; a file that says how to train has others.
    const bool trains = trained.model.description.train.has_value();
    if (program.parameters > 0 && (trains || !compiled.forward().trainable().empty())) {
      throw WorkError(
          Fault::request,
          fmt::format("{} has {} parameters to train", trained.manifest.model_path,
                      program.parameters),
          fmt::format("nnc train {}; then use the run folder here", trained.manifest.model_path));
    }
    std::vector<runtime::FittedStep> fitted;
    bool needs_data = false;
    for (const abi::StateDesc& state : program.states) {
      needs_data |= state.initial.kind == abi::Initial::Kind::fitted;
    }
    if (needs_data) {
      fitted = runtime::load(trained.model.data, {true, false, false}).fitted;
    }
    return runtime::initial_state(program, 0, fitted);
  }
  const std::string path = runtime::weights_path(trained.folder);
  if (!fs::exists(path)) {
    throw WorkError(Fault::work, fmt::format("{} has no weights yet", trained.folder),
                    fmt::format("nnc train --resume {} goes on with it", trained.folder));
  }
  runtime::Buffer state = runtime::Buffer::zeros(program.state_bytes);
  const std::string checksum = runtime::load_weights(path, program, state)["checksum"];
  const std::string& trained_checksum = trained.manifest.weights_checksum;
  if (!trained_checksum.empty() && checksum != trained_checksum) {
    reporter().warning(fmt::format("{} is not the file that the training of this run wrote", path));
  }
  return state;
}

namespace {

// The fields that losses and metrics compare something with.
std::vector<std::string> targets_of(const language::Description& description) {
  std::vector<std::string> targets;
  const auto add = [&](const Args& args) {
    if (args.has("target")) targets.push_back(args.reference("target").text);
  };
  if (description.loss) {
    for (const language::Term& term : description.loss->terms)
      if (term.loss) add(term.loss->args);
  }
  for (const language::Metric& metric : description.metrics) add(metric.choice.args);
  return targets;
}

}  // namespace

std::vector<std::string> class_words(const Trained& trained, int64_t classes) {
  const std::vector<std::string> targets = targets_of(trained.model.description);
  const runtime::FieldInfo* told = nullptr;
  for (const runtime::FieldInfo& field : trained.fields) {
    const bool is_target = std::find(targets.begin(), targets.end(), field.name) != targets.end();
    if (!is_target || field.classes != classes) continue;
    if (told != nullptr) return {};
    told = &field;
  }
  return told == nullptr ? std::vector<std::string>{} : told->vocabulary;
}

const std::vector<assemble::OutputInfo>& outputs_of(const CompiledModel& compiled,
                                                    const std::string& entry) {
  const assemble::Forward& forward = compiled.forward();
  return entry == "predict" ? forward.outputs : forward.functions.at(entry);
}

std::vector<std::string> output_words(const Trained& trained, const CompiledModel& compiled,
                                      const std::string& entry, const std::string& output) {
  for (const assemble::OutputInfo& info : outputs_of(compiled, entry)) {
    if (info.name != output || info.class_field.empty() || info.shape.size() != 1) continue;
    for (const runtime::FieldInfo& field : trained.fields)
      if (field.name == info.class_field) return field.vocabulary;
  }
  return {};
}

void note_units(const Trained& trained, const CompiledModel& compiled) {
  if (trained.knows_units) return;
  for (const assemble::OutputInfo& output : compiled.forward().outputs) {
    if (output.units.empty()) continue;
    reporter().note(
        fmt::format("'{}' is in the units of '{}'; the version of nnc that made {} predicted "
                    "prepared values",
                    output.name, output.units, trained.folder));
  }
}

}  // namespace nnc::workbench
