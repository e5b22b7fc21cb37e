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

using Groups = std::vector<std::vector<int32_t>>;

int64_t rounded(double fraction, size_t rows) {
  return std::llround(fraction * static_cast<double>(rows));
}

// How many rows of each class are taken, `wanted` of all: in proportion, what is left over by the
// largest remainders (Hamilton's method). Each class keeps a row at least.
std::vector<int64_t> shares_of(const Groups& groups, double fraction, int64_t wanted) {
  std::vector<int64_t> shares;
  std::vector<std::pair<double, size_t>> remainders;  // negative, so that the largest comes first
  for (size_t i = 0; i < groups.size(); ++i) {
    const double quota = fraction * static_cast<double>(groups[i].size());
    const auto most = static_cast<int64_t>(groups[i].size()) - 1;
    shares.push_back(std::min(static_cast<int64_t>(quota), most));
    remainders.emplace_back(static_cast<double>(shares.back()) - quota, i);
    wanted -= shares.back();
  }
  std::sort(remainders.begin(), remainders.end());
  while (wanted > 0) {
    const int64_t before = wanted;
    for (const auto& [remainder, i] : remainders) {
      if (wanted == 0 || shares[i] + 1 >= static_cast<int64_t>(groups[i].size())) continue;
      ++shares[i];
      --wanted;
    }
    if (wanted == before) break;
  }
  return shares;
}

// Classes with fewer rows than splits cannot stand in both; more classes than rows not in either.
void check_shares(const Table& table, const Groups& groups, const Fraction& fraction,
                  int64_t wanted, size_t rows, const std::string& name) {
  const auto shared = std::count_if(groups.begin(), groups.end(),
                                    [](const auto& group) { return group.size() > 1; });
  const auto rest = static_cast<int64_t>(rows) - wanted;
  const auto classes = static_cast<int64_t>(groups.size());
  if (wanted >= shared && wanted > 0 && rest >= classes) return;
  const bool few_taken = wanted < shared || wanted == 0;
  throw DataError(
      table.file, "",
      fmt::format("a {} fraction of {}, stratified by '{}', is {} of {} rows, which leaves {} rows "
                  "for {}: too few for one of each class",
                  name, fraction.fraction, fraction.stratify, wanted, rows,
                  few_taken ? wanted : rest, few_taken ? name : "training"),
      few_taken ? fmt::format("{} rows or more, one for each class that has two, or no `stratify`",
                              std::max<int64_t>(shared, 1))
                : fmt::format("{} rows or more, one for each class, or no `stratify`", classes),
      fmt::format("{} classes", classes));
}

std::vector<int64_t> rows_to_take(const Table& table, const Groups& groups, size_t rows,
                                  const Fraction& fraction, const std::string& name) {
  std::vector<int64_t> shares;
  if (fraction.stratify.empty() || fraction.each_class_rounded) {
    for (const auto& group : groups) shares.push_back(rounded(fraction.fraction, group.size()));
    return shares;
  }
  const int64_t wanted = rounded(fraction.fraction, rows);
  check_shares(table, groups, fraction, wanted, rows, name);
  return shares_of(groups, fraction.fraction, wanted);
}

}  // namespace

std::vector<int32_t> take_fraction(const Table& table, std::vector<int32_t>& rows,
                                   const Fraction& fraction, const std::string& name) {
  std::vector<int32_t> taken;
  std::vector<int32_t> rest;
  Groups classes = groups(table, rows, fraction, name);
  const std::vector<int64_t> shares = rows_to_take(table, classes, rows.size(), fraction, name);
  for (size_t i = 0; i < classes.size(); ++i) {
    std::vector<int32_t>& group = classes[i];
    const int64_t share = shares[i];
    shuffle(group, {fraction.seed, stream_of("split"), static_cast<uint32_t>(i), 0});
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
