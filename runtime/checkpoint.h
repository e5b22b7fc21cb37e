// What a run keeps on disk: weights.safetensors (to predict with) and checkpoint/last.safetensors
// (to go on training with, to the same bits). Both are replaced atomically.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/atomic_file.h"
#include "runtime/memory.h"

namespace nnc::runtime {

Destination weights_file(const std::string& run_folder);
Destination checkpoint_file(const std::string& run_folder);
inline std::string weights_path(const std::string& run) { return weights_file(run).path(); }
inline std::string checkpoint_path(const std::string& run) { return checkpoint_file(run).path(); }

// Parameters, statistics and prepared values under their names; optimizer state is left out.
// `metadata` may hold anything the command wants (a vocabulary, the model's name). Returns the
// file's checksum.
std::string save_weights(const Destination& to, const abi::Program& program, const Buffer& state,
                         const std::map<std::string, std::string>& metadata = {});

// Fills the states that save_weights writes; other states keep their values. Throws DataError when
// one is missing, or has another shape or type; tensors that the program does not know are an
// error too. Returns the metadata.
std::map<std::string, std::string> load_weights(const std::string& path,
                                                const abi::Program& program, Buffer& state);

// Where training stands. Enough, with the state slab, to continue to the same bits, even in the
// middle of an epoch.
struct Progress {
  int64_t epoch = 0;  // epochs finished
  int64_t step = 0;   // steps done
  int64_t batch = 0;  // batches done of the epoch in progress
  uint64_t seed = 0;
  int64_t batch_size = 0;
  int64_t best_epoch = 0;                  // 0: none yet
  double best_value = 0;                   // of what is watched, if best_epoch > 0
  double early_stop_value = 0;             // the last improvement by more than min_delta
  int64_t epochs_without_improvement = 0;  // since that one
  double seconds = 0;                      // of training so far
  double epoch_seconds = 0;                // of the epoch in progress
  std::vector<double> sums;                // the running sums of the epoch in progress
};

// All states (optimizer state too) and the progress, in one file.
void save_checkpoint(const Destination& to, const abi::Program& program, const Buffer& state,
                     const Progress& progress,
                     const std::map<std::string, std::string>& metadata = {});
// Throws DataError, as load_weights does.
Progress load_checkpoint(const std::string& path, const abi::Program& program, Buffer& state);

}  // namespace nnc::runtime
