#include "tools/workbench/ready.h"

#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "tools/workbench/clock.h"
#include "tools/workbench/data_place.h"
#include "tools/workbench/stored_fields.h"

namespace nnc::workbench {

std::vector<runtime::FieldInfo> fields_of(const Model& model) {
  try {
    return probe_fields(model);
  } catch (const runtime::DataError&) {
    if (auto fields = stored_fields(model.description)) return *fields;
    throw;
  }
}

namespace {

// Rows of a batch: what was asked for, else what the file does; where that is all rows,
// the data say how many these are. 0: the compiler's own choice.
int64_t batch_of(const ReadyChoices& choices, const Model& model) {
  if (choices.batch > 0) return choices.batch;
  const auto& train = model.description.train;
  if (!train || !train->batch.all || !model.data.train) return 0;
  int64_t rows = 0;
  reading_data(model, [&] {
    rows = static_cast<int64_t>(runtime::load(model.data, {true, false, false}).train.size());
  });
  return rows;
}

}  // namespace

Ready make_ready(const ReadyChoices& choices, const std::string& cache) {
  const auto start = Clock::now();
  Ready ready;
  ready.model = read_model(choices.model.file, choices.model.overrides);
  ready.read_ms = seconds_since(start) * 1e3;
  ready.fields = fields_of(ready.model);
  ready.probe_ms = seconds_since(start) * 1e3 - ready.read_ms;
  const auto reading = Clock::now();
  CompileOptions options = compile_options(choices.compile);
  options.cache_dir = cache;
  options.batch = options.inference_batch = batch_of(choices, ready.model);
  const double rows_ms = seconds_since(reading) * 1e3;
  ready.compiled = compile_model(ready.model, ready.fields, options);
  ready.entry = abi::main_entry(ready.compiled->program());
  ready.compiled->entry(ready.entry);
  ready.milliseconds = seconds_since(start) * 1e3 - rows_ms;
  return ready;
}

}  // namespace nnc::workbench
