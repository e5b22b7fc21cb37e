// Reads data sets into memory.
#pragma once

#include "runtime/data/statistics.h"

namespace nnc::runtime {

// Which splits are wanted; sources that no wanted split needs are not opened.
struct LoadOptions {
  bool train = true;
  bool valid = true;
  bool test = true;
  // What `prepare` has learned already; without it, it is learned from the training rows, which
  // must be wanted then.
  const std::vector<FittedStep>* fitted = nullptr;
  bool raw = false;  // nothing is learned or prepared
};

struct Dataset {
  Split train, valid, test;
  std::vector<FieldInfo> fields;
  std::vector<FittedStep> fitted;

  const FieldInfo* find(const std::string& name) const;
};

// Reads the rows of the wanted splits, files in parallel. u8 stays u8; indices become i32 and are
// checked; numbers become spec.precision (f64 arrays only stay f64 under f64), after they are
// prepared where that is to happen while loading. Throws DataError.
Dataset load(const DataSpec& spec, const LoadOptions& options = {});

// Reads one source alone, as `predict` does: fields in the order of the source, nothing prepared,
// so that numbers keep the type of their source where `prepare` will need it. A field with
// `category` must know its vocabulary.
std::shared_ptr<const Table> load_table(const Source& source, const DataSpec& spec);

}  // namespace nnc::runtime
