#include "runtime/data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/data/error.h"
#include "runtime/rng.h"

namespace nnc::runtime {
namespace {

// Rows by class; one group without stratify.
std::vector<std::vector<int32_t>> groups(const Table& table, const std::vector<int32_t>& rows,
                                         const Fraction& fraction, const std::string& name) {
  if (fraction.stratify.empty()) return {rows};
  const Column* column = table.find(fraction.stratify);
  const bool usable = column != nullptr && column->row_elements() == 1 &&
                      (column->is_text || column->dtype == abi::DType::i32);
  if (!usable) {
    throw DataError(
        table.file, "",
        fmt::format("the {} split cannot be stratified by '{}'", name, fraction.stratify),
        "an index field (classes, names or category) with one number a row");
  }
  std::map<std::string, std::vector<int32_t>> by_word;
  std::map<int32_t, std::vector<int32_t>> by_index;
  for (int32_t row : rows) {
    if (column->is_text && column->bytes.empty()) {
      by_word[column->words[static_cast<size_t>(row)]].push_back(row);
    } else {
      by_index[column->bytes.as<int32_t>()[row]].push_back(row);
    }
  }
  std::vector<std::vector<int32_t>> result;
  for (auto& [word, group] : by_word) result.push_back(std::move(group));
  for (auto& [index, group] : by_index) result.push_back(std::move(group));
  return result;
}

}  // namespace

std::vector<int32_t> take_fraction(const Table& table, std::vector<int32_t>& rows,
                                   const Fraction& fraction, const std::string& name) {
  std::vector<int32_t> taken;
  std::vector<int32_t> rest;
  uint32_t number = 0;
  for (std::vector<int32_t>& group : groups(table, rows, fraction, name)) {
    shuffle(group, {fraction.seed, stream_of("split"), number++, 0});
    const auto share = std::llround(fraction.fraction * static_cast<double>(group.size()));
    taken.insert(taken.end(), group.begin(), group.begin() + share);
    rest.insert(rest.end(), group.begin() + share, group.end());
  }
  if (taken.empty() || rest.empty()) {
    throw DataError(table.file, "",
                    fmt::format("a {} fraction of {} leaves no rows for {}", name,
                                fraction.fraction, taken.empty() ? name : "training"),
                    "", fmt::format("{} rows", rows.size()));
  }
  std::sort(taken.begin(), taken.end());
  std::sort(rest.begin(), rest.end());
  rows = std::move(rest);
  return taken;
}

}  // namespace nnc::runtime
