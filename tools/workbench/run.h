// A run folder: where it is made, what it remembers besides weights and checkpoints.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "compiler/assemble/fields.h"
#include "runtime/atomic_file.h"
#include "runtime/data/spec.h"

namespace nnc::assemble {
struct OutputInfo;
}

namespace nnc::workbench {

// What manifest.json must hold so that a run can be evaluated and resumed, and can predict without
// its data.
struct Manifest {
  std::string model_name;
  std::string model_path;              // of the model file that it was made from
  std::vector<std::string> overrides;  // --set, in order; model.yaml has them already
  std::vector<runtime::FieldInfo> fields;
  std::string weights_checksum;  // of the weights at the end of training; empty before
  std::string train_rows;        // a hash of the numbers of the rows that it is trained on
};

// Makes runs/NAME-001, or the next number that is free, also if others look for one now.
std::string make_next_run_folder(const std::string& model_name);

// Whether a run that is there already may be replaced.
enum class Replace : bool { no, yes };

// WorkError if there is something at `folder` that may not be replaced by a run of `model_path`:
// a file, a run without Replace::yes, anything that is no run. Nothing is what a killed training
// left before it had a manifest.
void check_replaceable(const std::string& folder, Replace replace, const std::string& model_path);

// Keeps other trainings out of a run folder while it lives: two would write over each other.
class RunLock {
 public:
  RunLock() = default;
  // WorkError if another process trains this run. A disk that knows no locks keeps nobody out.
  explicit RunLock(const std::string& folder);
  RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RunLock& operator=(RunLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~RunLock();

 private:
  int descriptor_ = -1;
};

// Makes the folder, keeps others out, and looks again whether it may be replaced: another training
// may have been quicker. The files of an earlier run in it are removed, and no others.
RunLock make_run_folder(const std::string& folder, Replace replace, const std::string& model_path);

// What killed trainings left unfinished in a run.
void remove_leftovers(const std::string& folder);

// A run that could not begin: its files go, and the folder if nothing else is in it.
void remove_run(const std::string& folder);

// WorkError if `folder` is not a run (it says what it is instead).
void check_run_folder(const std::string& folder);

// WorkError that names the model file if `path` is a run where a model file is wanted.
void check_no_run(const std::string& path);

runtime::Destination model_file_in(const std::string& folder);
std::string model_path_in(const std::string& folder);
std::string manifest_path_in(const std::string& folder);

// `facts`: what else it says, for people: seed, hashes, machine, timings.
void write_manifest(const std::string& folder, const Manifest& manifest,
                    const nlohmann::ordered_json& facts);
Manifest read_manifest(const std::string& folder, nlohmann::ordered_json* facts = nullptr);

// Reads data as the run was trained on them: the words that `category` has learned, who prepares
// numbers, how splits are drawn.
void set_trained(runtime::DataSpec& data, const Manifest& manifest);

// The compiler's view of the same fields.
std::vector<assemble::FieldInfo> for_compiler(const std::vector<runtime::FieldInfo>& fields);

// For the manifest: the outputs that are in the units of a field, with its name.
nlohmann::ordered_json units_of(const std::vector<assemble::OutputInfo>& outputs);

}  // namespace nnc::workbench
