// Training by turns: what a phase changes and what it leaves as it is.
#include <algorithm>

#include "compiler/assemble/forward_builder.h"

namespace nnc::assemble {

// Whether this entry changes the weights and statistics of a layer, or a free parameter. The others
// keep theirs to the bit; gradients flow through them all the same.
bool ForwardBuilder::updates(const std::string& layer) const {
  if (entry_.phase == nullptr) return true;
  const std::vector<std::string>& all = entry_.phase->layers;
  return std::find(all.begin(), all.end(), layer) != all.end();
}

}  // namespace nnc::assemble
