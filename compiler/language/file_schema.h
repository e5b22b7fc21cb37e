// The table of the model file itself: its sections and their keys.
#pragma once

#include "compiler/support/schema.h"

namespace nnc::language {

// The language version that this compiler reads.
inline constexpr int language_version = 1;

// The whole file, a record.
const schema::Type& file_type();

// The keys that may stand beside a layer's word.
const std::vector<schema::Key>& layer_siblings();
// A layer with them, wherever one stands; any other type as it is.
const schema::Type& with_siblings(const schema::Type& type);
// What may stand in `blocks`, by name: a record.
const schema::Type& block_type();
const std::vector<schema::Key>& source_siblings();

}  // namespace nnc::language
