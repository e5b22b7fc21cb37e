// Which rows a run was trained on, so that it is never judged by them: its splits are drawn again
// whenever its data are read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/data/load.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

// The hashes of all files of the data by their paths, null for those that are gone.
nlohmann::ordered_json hash_data(const runtime::DataSpec& data);

// A hash of the numbers of the rows of a split, for the manifest.
std::string rows_hash(const runtime::Split& split);

// Whether the rows of a split are drawn out of those of another: a fraction, or what one leaves.
bool is_drawn(const runtime::DataSpec& data, const std::string& split);

// Whether rows of a split that is drawn now can be rows that were trained on: what is left to train
// on is not what it was, or the files are not (`hashes`: as they were read).
bool drawn_anew(const runtime::DataSpec& data, const runtime::Split& trained,
                const runtime::Split& now, const nlohmann::ordered_json& hashes);

// WorkError where rows of this split, as drawn now, can be others than those that were kept for
// it when the run was trained. A warning where a file of its own has changed.
void check_same_rows(const Trained& trained, const runtime::Dataset& data,
                     const std::string& split);

}  // namespace nnc::workbench
