#include "tools/nnc/ready.h"

#include "runtime/data/error.h"
#include "tools/nnc/clock.h"
#include "tools/nnc/stored_fields.h"

namespace nnc::tool {

std::vector<runtime::FieldInfo> fields_of(const Model& model) {
  try {
    return probe_fields(model);
  } catch (const runtime::DataError&) {
    if (auto fields = stored_fields(model.description)) return *fields;
    throw;
  }
}

Ready make_ready(const ReadyFlags& flags, const std::string& cache) {
  const auto start = Clock::now();
  Ready ready;
  ready.model = read_model(flags.model.file, flags.model.overrides);
  ready.read_ms = seconds_since(start) * 1e3;
  ready.fields = fields_of(ready.model);
  ready.probe_ms = seconds_since(start) * 1e3 - ready.read_ms;
  CompileOptions options = compile_options(flags.compile);
  options.cache_dir = cache;
  options.batch = flags.batch;
  options.inference_batch = flags.batch;
  ready.compiled = compile_model(ready.model, ready.fields, options);
  ready.entry = ready.compiled->has_entry("step") ? "step" : "predict";
  ready.compiled->entry(ready.entry);
  ready.milliseconds = seconds_since(start) * 1e3;
  return ready;
}

}  // namespace nnc::tool
