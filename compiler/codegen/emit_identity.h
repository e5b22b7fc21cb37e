// What tells emitted code of one model from that of another.
#pragma once

#include <string>

#include "compiler/codegen/emit.h"

namespace nnc::codegen {

// Each is 16 hexadecimal digits. Of the network: what is computed with weights and how they lie in
// memory, what its inputs and outputs are and mean. Weights of another run of the same network fit.
std::string layout_hash(const EmitRequest& request);
// Of what functions compute, whatever they are called.
std::string kernels_hash(const std::vector<const kernel::Module*>& modules);
// Of the network and these weights.
std::string weights_hash(const EmitRequest& request);

// Stands in a text for the hash of the whole text, until it is sealed. No text of users holds it.
constexpr char own_hash = '\x01';
// The text with its hash, and that of its weights, in all those places.
std::string sealed(const std::string& text, const EmitRequest& request);

}  // namespace nnc::codegen
