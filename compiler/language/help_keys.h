// Every key of the file's schema with the place where it stands, for `nnc help KEY`.
#pragma once

#include <string>
#include <vector>

#include "compiler/support/schema.h"

namespace nnc::language {

struct PlacedKey {
  std::string place;  // "train.early_stop", "beside a layer"
  const schema::Key* key = nullptr;
};

// Those below the sections: a key that stands at several places alike is there once.
std::vector<PlacedKey> keys_below_sections();

}  // namespace nnc::language
