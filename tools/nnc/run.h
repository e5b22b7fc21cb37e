// A run folder: where it is made, what it remembers besides weights and checkpoints.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "compiler/spec/graph/fields.h"
#include "runtime/data/spec.h"

namespace nnc::tool {

// What manifest.json must hold so that a run can be evaluated and resumed, and can predict without
// its data.
struct Manifest {
  std::string model_name;
  std::string model_path;              // of the model file that it was made from
  std::vector<std::string> overrides;  // --set, in order; model.yaml has them already
  std::vector<runtime::FieldInfo> fields;
};

// Makes runs/NAME-001, or the next number that is free, also if others look for one now.
std::string make_next_run_folder(const std::string& model_name);

// CommandError if the folder is there already and not empty.
void refuse_existing_run(const std::string& folder);

// Keeps other trainings out of a run folder while it lives: two would write over each other.
class RunLock {
 public:
  RunLock() = default;
  // CommandError if another process trains this run. A disk that knows no locks keeps nobody out.
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

// Makes the folder and keeps others out. The files of an earlier run in it are removed, and no
// others; none while that run is being trained.
RunLock make_run_folder(const std::string& folder);

// CommandError if `folder` is not a run (it says what it is instead).
void check_run_folder(const std::string& folder);

std::string model_path_in(const std::string& folder);
std::string metrics_path_in(const std::string& folder);

// `facts`: what else it says, for people: seed, hashes, machine, timings.
void write_manifest(const std::string& folder, const Manifest& manifest,
                    const nlohmann::ordered_json& facts);
Manifest read_manifest(const std::string& folder, nlohmann::ordered_json* facts = nullptr);

// The compiler's view of the same fields.
std::vector<spec::FieldInfo> for_compiler(const std::vector<runtime::FieldInfo>& fields);

}  // namespace nnc::tool
