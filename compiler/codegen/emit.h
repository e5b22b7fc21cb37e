// Standalone C++17 inference: one header made of kernels, weights and a little glue, with no
// dependency on nnc. The caller (compile, tools) lowers the model once per vector level and says
// what the values mean; everything about C++ text is here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/codegen/cpp_printer.h"
#include "compiler/codegen/emit_object.h"
#include "compiler/kernel/kernel.h"
#include "runtime/abi.h"
#include "runtime/shape.h"

namespace nnc::codegen {

// A value that crosses the border of the emitted function: numbers as f32 (`float`) or f64
// (`double`), raw as in the data set, and indices in their stored type; row-major.
struct EmitValue {
  std::string name;
  abi::DType dtype = abi::DType::f32;
  std::vector<int64_t> row_shape;         // of one row
  std::string comment;                    // such as "raw, as in the data"; may be empty
  std::vector<std::string> words = {};    // of an index that stands for words: by index
  std::vector<std::string> columns = {};  // of the file that its numbers come from, in their order
  std::vector<std::string> classes = {};  // what the numbers of an output are scores of
  std::string channels = {};              // of a picture [rows, columns, channels]: "RGB", "grey"
  bool bytes = false;                     // 0 … 255: predict takes it as bytes, too
  int64_t elements() const { return elements_of(row_shape); }
};

// Kernels lowered for target_for(level) and a number of rows. `core` is the function that runs
// them; its parameters are those of emit_entry.h. Of the other functions only those it calls are
// printed.
struct EmitKernels {
  const kernel::Module* module = nullptr;
  std::string core;
  size_t arena_bytes = 0;
};

// The kernels of one vector level: for one row, and for 1 … EmitFunction::block_rows rows.
struct EmitLevel {
  CppLevel level = CppLevel::plain;
  EmitKernels row;
  EmitKernels block;
};

// One row with the answers that the trained program gave, for the self-test.
struct EmitRow {
  std::vector<std::vector<double>> inputs;   // by input, row-major
  std::vector<std::vector<double>> outputs;  // by output
};

// Where the weights go: inside the header, into an object file that is linked, or into a binary
// file that the program loads.
enum class EmitWeights { header, object, file };

// What can be called: "predict", or a function of the model.
struct EmitFunction {
  std::string name = "predict";  // as the user wrote it
  std::vector<EmitValue> inputs;
  std::vector<EmitValue> outputs;
  std::vector<EmitLevel> levels;  // at most one of each kind; `plain` must be there
  std::string kernels;            // of an object, which has no levels: kernels_hash of its own
  std::vector<double> scalars;    // values of the entry's scalars, in their order
  int64_t block_rows = 1;         // rows of one block of predict_batch
  int64_t few_rows = 0;           // fewer rows than this are predicted one by one
  std::vector<EmitRow> rows;      // for the self-test; may be empty
};

struct EmitRequest {
  std::string model;      // its name as the user wrote it
  std::string name;       // what identifiers are made of; empty: of `model`
  std::string run;        // the name of its run's folder; may be empty
  std::string file_hash;  // of the model file; may be empty
  std::string summary;    // what it is, for the header's first lines; may have several lines
  // At least one, all with the same levels; "predict" comes first, if it is there.
  std::vector<EmitFunction> functions;
  std::vector<abi::StateDesc> states;  // the sections of `state` that any of them reads
  std::vector<uint8_t> state;          // the slab; StateDesc::offset points into it
  // |emitted - trained| <= tolerance * max(1, |trained|), for every output value.
  double tolerance = 1e-5;
  EmitWeights weights = EmitWeights::header;
  ObjectMachine machine = ObjectMachine::x86_64;  // of EmitWeights::object
  std::string header_name;                        // file name; default: NAMESPACE.hpp
};

struct EmittedFile {
  std::string name;   // without folder
  std::string bytes;  // text, or the binary weights
};

// A header with more weights than this is refused: compilers take minutes over it.
constexpr size_t max_header_weights = size_t{16} << 20;

// The header NAME.hpp; with EmitWeights::file also NAME.weights, with EmitWeights::object
// NAME_weights.o; with rows also NAME_selftest.cpp, a main that prints one line per
// output of each function and returns 0 or 1. Throws UserError for weights too large for a header
// (it says what to do instead).
std::vector<EmittedFile> emit(const EmitRequest& request);

// NAME_weights.o alone.
EmittedFile weights_object(const EmitRequest& request, ObjectMachine machine);

}  // namespace nnc::codegen
