// Shuffles of emitted C++. Vectors wider than a register are split into register-sized pieces: a
// piece of the result is picked out of the pieces it needs, two at a time.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/codegen/cpp_helpers.h"

namespace nnc::codegen {

using kernel::Scalar;
using kernel::Type;

namespace {

// Where one lane of a partial result comes from: a source piece and a lane of it.
struct Origin {
  int piece = 0;
  int lane = 0;
};

}  // namespace

std::string CppHelpers::shuffle(Type result, const CppValue& a, const CppValue& b,
                                const std::vector<int>& lane_map) {
  const int lanes = a.type.lanes;
  if (result.lanes == 1) {
    return lane_map[0] < lanes ? lane(a, lane_map[0]) : lane(b, lane_map[0] - lanes);
  }
  const auto of_a = [&](int from) { return from < lanes; };
  const bool only_a = std::all_of(lane_map.begin(), lane_map.end(), of_a);
  const bool only_b = std::none_of(lane_map.begin(), lane_map.end(), of_a);
  if (!only_a && !only_b) return shuffle_call(result, {a, b}, lane_map);
  const CppValue& source = only_a ? a : b;
  std::vector<int> own = lane_map;
  if (only_b) std::for_each(own.begin(), own.end(), [&](int& from) { from -= lanes; });
  bool in_row = true;
  for (size_t i = 1; i < own.size(); ++i) in_row = in_row && own[i] == own[0] + static_cast<int>(i);
  if (in_row && result.lanes == lanes) return source.text;
  if (in_row && 2 * result.lanes == lanes && own[0] % result.lanes == 0 &&
      form(a.type) != CppForm::array) {
    return half(source, own[0] != 0);
  }
  return shuffle_call(result, {source}, own);
}

std::string CppHelpers::shuffle_call(Type result, const std::vector<CppValue>& sources,
                                     const std::vector<int>& lane_map) {
  const Types types(sources.size(), sources[0].type);
  const std::string key = fmt::format("shuffle {} {}x{} {}", cpp_name(result), types.size(),
                                      cpp_name(types[0]), fmt::join(lane_map, " "));
  const auto [entry, fresh] = shuffles_.emplace(key, static_cast<int>(shuffles_.size()) + 1);
  const std::string name = fmt::format("shuffle_{}", entry->second);
  if (fresh) {
    once(key, [&] {
      const std::string to = type(result), from = parameters(types);
      return fmt::format("// Lanes {}{}.\n", fmt::join(lane_map, " "),
                         types.size() == 2 ? " of a and b" : "") +
             define(to, name, from, shuffle_body(result, types, lane_map));
    });
  }
  return types.size() == 2 ? fmt::format("{}({}, {})", name, sources[0].text, sources[1].text)
                           : fmt::format("{}({})", name, sources[0].text);
}

std::string CppHelpers::shuffle_body(Type result, const Types& sources,
                                     const std::vector<int>& lane_map) {
  const Type source = sources[0];
  const CppValue a{source, "a"}, b{source, sources.size() == 2 ? "b" : "a"};
  const int lanes = source.lanes;
  if (form(result) == CppForm::split) {
    const auto middle = lane_map.begin() + result.lanes / 2;
    const Type part = half_of(result);
    return "return " +
           join(result, shuffle(part, a, b, {lane_map.begin(), middle}),
                shuffle(part, a, b, {middle, lane_map.end()})) +
           ";";
  }
  const bool bit_mask = source.scalar == Scalar::i1 && level_ == CppLevel::avx512;
  if (form(result) == CppForm::array || lanes == 1 || bit_mask) {
    std::vector<std::string> picked;
    for (int from : lane_map) {
      picked.push_back(from < lanes ? lane_text(a, from) : lane_text(b, from - lanes));
    }
    if (form(result) != CppForm::array) return "return " + build(result, picked) + ";";
    return fmt::format("return {}{{{{{}}}}};", type(result), fmt::join(picked, ", "));
  }
  return shuffle_pieces(result, sources, lane_map);
}

std::string CppHelpers::shuffle_pieces(Type result, const Types& sources,
                                       const std::vector<int>& lane_map) {
  const Type source = sources[0];
  // The registers of a and b, by the path of halves that leads to them.
  std::vector<std::string> paths = {"a"};
  if (sources.size() == 2) paths.push_back("b");
  Type piece = source;
  for (; form(piece) == CppForm::split; piece = half_of(piece)) {
    std::vector<std::string> halves;
    for (const std::string& path : paths) {
      halves.push_back(path + ".lo");
      halves.push_back(path + ".hi");
    }
    paths = halves;
  }
  std::vector<Origin> origins;
  std::vector<int> used;
  for (int from : lane_map) {
    origins.push_back({from / piece.lanes, from % piece.lanes});
    if (std::find(used.begin(), used.end(), origins.back().piece) == used.end()) {
      used.push_back(origins.back().piece);
    }
  }
  // Each step takes in one more piece; lanes that are not there yet may hold anything.
  const auto path_of = [&](int which) { return paths[static_cast<size_t>(which)]; };
  std::string text, known;
  for (size_t step = std::min<size_t>(1, used.size() - 1); step < used.size(); ++step) {
    std::vector<std::string> lanes;
    for (size_t i = 0; i < origins.size(); ++i) {
      const bool now =
          origins[i].piece == used[step] || (known.empty() && origins[i].piece == used[0]);
      if (now) {
        lanes.push_back(register_lane({piece, path_of(origins[i].piece)}, origins[i].lane));
      } else if (!known.empty()) {
        lanes.push_back(register_lane({result, known}, static_cast<int>(i)));
      } else {
        lanes.push_back(register_lane({piece, path_of(used[0])}, 0));
      }
    }
    if (step + 1 == used.size()) return text + "return " + assemble(result, lanes) + ";";
    known = fmt::format("r{}", step);
    text += fmt::format("const {} {} = {};\n", type(result), known, assemble(result, lanes));
  }
  return text;
}

}  // namespace nnc::codegen
