// What is looked at before a run goes on, and said of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "runtime/data/table.h"
#include "runtime/keeper.h"
#include "tools/workbench/run.h"
#include "tools/workbench/train_options.h"

namespace nnc::workbench {

// Whether the run in `folder` has a checkpoint to go on from. One that was killed before its first
// has none and starts again; WorkError where the checkpoint of a run that had come to its end
// (manifest and `facts` tell) is gone: its weights are not written over.
bool has_checkpoint(const std::string& folder, const Manifest& manifest,
                    const nlohmann::ordered_json& facts);

// WorkError if data files have other hashes than the manifest's `facts`: the same steps on other
// rows would be neither this run nor a new one.
void check_same_data(const std::string& folder, const nlohmann::ordered_json& facts,
                     const nlohmann::ordered_json& hashes, const std::string& model_path);

// WorkError if these are other rows than those that the run was trained on.
void check_same_draw(const std::string& folder, const Manifest& manifest,
                     const runtime::Split& train);

// Warns if metrics.jsonl lacks epochs that the checkpoint has.
void warn_of_missing_metrics(const std::string& folder, const runtime::Resumable& found);

// How the model file of the run says to train, in silence: whoever changes it is told of mistakes.
runtime::TrainOptions options_of(const std::string& model_path);

// How the learning rate goes on where the length of a schedule has changed: "" if it has not.
std::string rate_note(const runtime::TrainOptions& before, const runtime::TrainOptions& now,
                      const runtime::Progress& progress, int64_t steps_per_epoch);

}  // namespace nnc::workbench
