#include "runtime/data/probe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "runtime/data/source.h"

namespace nnc::runtime {
namespace {

const FieldInfo* find_field(const std::vector<FieldInfo>& fields, const std::string& name) {
  for (const FieldInfo& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string text(const FieldInfo& field) {
  return fmt::format("rows of [{}] in field '{}'", fmt::join(field.row_shape, ", "), field.name);
}

// A test file must look like the training file. Types may differ: rows are converted only if they
// are indices or wider than the precision, so that the compiled program must fit both.
void check_same(const SourceInfo& first, const SourceInfo& other) {
  for (const FieldInfo& field : first.fields) {
    const FieldInfo* match = find_field(other.fields, field.name);
    if (match == nullptr) {
      throw DataError(other.file, "", fmt::format("there is no field '{}'", field.name),
                      fmt::format("the fields of {}", first.file));
    }
    if (match->row_shape != field.row_shape) {
      throw DataError(other.file, "", "the rows have another shape",
                      fmt::format("{} (as in {})", text(field), first.file), text(*match));
    }
    if (match->dtype != field.dtype) {
      throw DataError(other.file, "",
                      fmt::format("field '{}' is stored in another type", field.name),
                      fmt::format("the type of {}", first.file));
    }
  }
}

void check_not_empty(const SourceInfo& info) {
  for (const FieldInfo& field : info.fields)
    for (const int64_t extent : field.row_shape)
      if (extent < 1) {
        throw DataError(info.file, "", fmt::format("a row of field '{}' holds nothing", field.name),
                        "one number or more in each row", text(field));
      }
}

int64_t known_rows(const std::optional<Source>& source, const SourceInfo& info) {
  if (!source) return 0;
  return source->where ? -1 : info.rows;
}

}  // namespace

const FieldInfo* ProbeResult::find(const std::string& name) const {
  return find_field(fields, name);
}

ProbeResult probe(const DataSpec& spec) {
  ProbeResult result;
  std::optional<SourceInfo> first;
  const auto look_at = [&](const std::optional<Source>& source, int64_t& rows) {
    if (!source) return;
    SourceInfo info = probe_source(*source, spec);
    rows = known_rows(source, info);
    check_not_empty(info);
    check_memory(info.file, known_bytes(info), spec);
    if (first) {
      check_same(*first, info);
    } else {
      first = std::move(info);
    }
  };
  const auto look = [&](const std::string& split, const std::optional<Source>& source,
                        int64_t& rows) { reading_split(split, [&] { look_at(source, rows); }); };
  look("train", spec.train, result.train_rows);
  look("test", spec.test, result.test_rows);
  look("valid", spec.valid, result.valid_rows);
  if (!first) return result;
  result.fields = first->fields;
  const auto take = [&](const std::optional<Fraction>& fraction, int64_t& rows) {
    if (!fraction) return;
    const bool known = result.train_rows >= 0;
    rows = known ? std::llround(fraction->fraction * static_cast<double>(result.train_rows)) : -1;
    result.train_rows = known ? result.train_rows - rows : -1;
  };
  take(spec.test_fraction, result.test_rows);
  take(spec.valid_fraction, result.valid_rows);
  bool learns = false;
  for (const FieldSpec& field : spec.fields) {
    learns = learns || (field.category() != nullptr && field.vocabulary.empty());
  }
  if (learns && spec.train) {
    LoadOptions options{true, false, false};
    options.raw = true;
    result.fields = load(spec, options).fields;
  }
  return result;
}

}  // namespace nnc::runtime
