// How weights start.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/support/args.h"
#include "compiler/support/schema.h"
#include "runtime/abi.h"

namespace nnc::layers {

// How many numbers each output of a layer is summed from (fan_in), and how many outputs each input
// reaches (fan_out): what keeps the variance of a signal through a layer.
struct Fans {
  double in = 1;
  double out = 1;
};

struct InitialiserDef {
  schema::Entry entry;
  std::function<abi::Initial(const Args&, const Fans&)> build;
};

const std::vector<InitialiserDef>& initialiser_table();

// The `init` key of a layer with a kernel and a bias: an initialiser for the kernel, or a map that
// gives each of them an initialiser, a number or an array of values.
schema::Key init_key(const std::string& default_kernel);

// The start of weight `weight` ("bias", or the name of a kernel) of a layer whose arguments have an
// init_key. The bias is zero unless the file says otherwise. UserError if an array has the wrong
// shape; `order` tells what its axes are, where that is not the order of the weight's.
abi::Initial initial_of(const Args& args, const std::string& weight,
                        const std::vector<int64_t>& shape, const Fans& fans,
                        const std::string& order = {});

// The start of a free parameter: a number, an initialiser or an array. UserError for one that only
// a layer can have. The last axis of the shape counts as outputs, the others as inputs.
abi::Initial initial_of_parameter(const Value& init, const std::string& name,
                                  const std::vector<int64_t>& shape);

}  // namespace nnc::layers
