// What emitted code says of its values besides computing them: sizes, names of columns and classes,
// what a picture is, where the model comes from. The same facts in C++ and in C.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

// In the namespace of the header: `inline constexpr std::size_t x_size = 4;`.
std::string cpp_facts(const EmitRequest& request, const EmitNames& names);
// With the model's name in front: `#define IRIS_X_SIZE 4`.
std::string c_facts(const EmitRequest& request, const EmitNames& names);

// The names of what is said of a function, "x_size", for `prefix` to stand before them.
std::vector<std::string> fact_names(const EmitFunction& function, const FunctionNames& names);

// Of one value for people: "0 sepal_length, 1 sepal_width, …"; empty if there is nothing to say.
std::string meaning_of(const EmitValue& value);

}  // namespace nnc::codegen
