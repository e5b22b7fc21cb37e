// Everything of this folder that a model file can name, as the one schema table of the language.
#pragma once

#include "compiler/support/schema.h"

namespace nnc::layers {

const schema::Catalogue& catalogue();

}  // namespace nnc::layers
