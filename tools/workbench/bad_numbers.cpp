#include "tools/workbench/bad_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/workbench/error.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/reporter.h"

namespace nnc::workbench {

namespace {

const char* const remedy = "Put a number there or leave the row out.";

std::string not_finite(const std::string& split) {
  return fmt::format("the loss of the {} rows is not a finite number", split);
}

const char* const grown =
    "although the rows are numbers: the model's own have grown too large, or a logarithm was taken "
    "of 0 (of a probability that is exactly 0 or 1)";

bool has_loss(const abi::EntryDesc& evaluate) {
  return std::any_of(evaluate.outputs.begin(), evaluate.outputs.end(),
                     [](const auto& output) { return output.name.rfind("loss", 0) == 0; });
}

// Of f32 and f64 outputs, the first row with a number that is none; -1: all are.
int64_t first_bad_row(const runtime::Prediction& output, int64_t rows) {
  const int64_t n = elements_of(output.shape);
  const auto find = [&](const auto* values) {
    for (int64_t i = 0; i < rows * n; ++i)
      if (!std::isfinite(values[i])) return i / n;
    return int64_t{-1};
  };
  if (output.dtype == abi::DType::f32) return find(output.values.as<float>());
  if (output.dtype == abi::DType::f64) return find(output.values.as<double>());
  return -1;
}

}  // namespace

std::string bad_number(const std::vector<std::string>& fields, const runtime::Split& rows) {
  for (const std::string& name : fields) {
    const runtime::Column* column = rows.table ? rows.table->find(name) : nullptr;
    if (column == nullptr ||
        !(column->dtype == abi::DType::f32 || column->dtype == abi::DType::f64))
      continue;
    const int64_t n = column->row_elements();
    for (const int32_t row : rows.rows)
      for (int64_t i = row * n; i < (row + 1) * n; ++i) {
        const double value = column->number(i);
        if (std::isfinite(value)) continue;
        return fmt::format("{}: {}: {}", runtime::file_of(*rows.table, *column, row),
                           runtime::element_place(*rows.table, *column, i), loss_text(value));
      }
  }
  return "";
}

std::vector<std::string> fields_of(const abi::EntryDesc& entry) {
  std::vector<std::string> names;
  for (const auto& input : entry.inputs) names.push_back(input.name);
  return names;
}

void check_metrics(const std::string& split, const runtime::Metrics& metrics,
                   const abi::EntryDesc& evaluate, const runtime::Split& rows) {
  if (metrics.empty() || !has_loss(evaluate) || metrics.finite()) return;
  const std::string place = bad_number(fields_of(evaluate), rows);
  if (place.empty()) return reporter().warning(fmt::format("{}, {}", not_finite(split), grown));
  throw WorkError(Fault::work, not_finite(split),
                  fmt::format("the data hold no number there: {}\n  {}", place, remedy));
}

void warn_of_metrics(const std::string& split, const runtime::Metrics& metrics,
                     const abi::EntryDesc& evaluate, const runtime::Split& rows) try {
  check_metrics(split, metrics, evaluate, rows);
} catch (const WorkError& error) {
  reporter().warning(fmt::format("{}\n  {}", error.what(), error.hint));
}

void check_predictions(const std::vector<runtime::Prediction>& outputs,
                       const abi::EntryDesc& predict, const runtime::Split& rows) {
  for (const runtime::Prediction& output : outputs) {
    const int64_t row = first_bad_row(output, rows.size());
    if (row < 0) continue;
    const std::string place = bad_number(fields_of(predict), rows);
    if (place.empty())
      return reporter().warning(
          fmt::format("output '{}' is not a finite number in {}, {}", output.name,
                      rows.table->place(rows.rows[static_cast<size_t>(row)]), grown));
    throw WorkError(Fault::work,
                    fmt::format("{}: this is not a number that the model can take", place), remedy);
  }
}

}  // namespace nnc::workbench
