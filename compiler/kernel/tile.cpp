#include "compiler/kernel/tile.h"

#include <algorithm>

#include "compiler/kernel/views.h"

namespace nnc::kernel {

namespace {

// Two fused multiply-adds and two loads per cycle; tiles of fewer than about 12 sums wait for them:
// what the x86 cores of the last ten years have in common.
constexpr double per_cycle = 2, latency = 6;
// A run of lines from the second cache: each, and the first of them; a line of A, whose runs are
// short.
constexpr double near_line = 1.5, near_run = 2, line_of_a = 1.8;
constexpr int64_t page = 4096;
struct Level {
  int64_t bytes, ways, ways_for_b;
};
// Panels of two widths need their code twice: compile time, and half as warm an instruction cache.
constexpr double second_width = 1.04;
// What a vector of the tile, and an operation on it, count in code, as a share of the run time.
constexpr double code_of_vector = 0.0008, code_of_operation = 0.0001;
constexpr double loop_instructions = 3;  // of a step, beside loads and multiply-adds
constexpr double tile_overhead = 12;     // entering and leaving the loop over k
constexpr double instructions_in_flight = 450;

class Cost {
 public:
  Cost(const TileShape& shape, const Tile& tile, const Target& target)
      : shape_(shape), tile_(tile), target_(target) {}

  double cycles() const {
    const Panels& panels = tile_.panels;
    const int64_t wide = panels.front(), wides = panels.wide();
    double total = static_cast<double>(wides) * panel_cycles(wide);
    if (!panels.equal())
      total = second_width *
              (total + static_cast<double>(panels.count - wides) * panel_cycles(panels.back()));
    const int64_t rows = tile_.rows + (tile_.rest > 1 ? tile_.rest : 0);
    const double widest = static_cast<double>(rows * wide);
    const auto operations = static_cast<double>(shape_.epilogue);
    return total * (1 + widest * (code_of_vector + code_of_operation * operations));
  }

 private:
  double panel_cycles(int64_t vectors) const {
    const int64_t rows = tile_.rows, left = shape_.m % rows;
    const auto rests = static_cast<double>(left / tile_.rest);
    const auto single = static_cast<double>(tile_.rest > 1 ? left % tile_.rest : 0);
    const auto tiles = static_cast<double>(shape_.m / rows);
    // The first tile of a panel brings B in (or the copy does); the others find it in a cache.
    const double later = cycles_of_b(vectors);
    const double first = tile_.packed ? later : share_that_is_near() * from_near(vectors);
    const double other = one_tile(rows, vectors, later);
    return pack_cycles(vectors) + one_tile(rows, vectors, first) + (tiles - 1) * other +
           rests * one_tile(tile_.rest, vectors, later) + single * one_tile(1, vectors, later);
  }

  // Reading, writing, and half of the reads from far away.
  double pack_cycles(int64_t vectors) const {
    if (!tile_.packed) return 0;
    return static_cast<double>(shape_.k * b_lines(vectors)) * (2 + target_.far_line / 2);
  }

  // `b_cycles`: for what a step over k needs of B.
  double one_tile(int64_t rows, int64_t vectors, double b_cycles) const {
    const auto k = static_cast<double>(shape_.k), sums = static_cast<double>(rows * vectors);
    // A vector that crosses a line is read twice.
    const bool crosses = b_stride(vectors) % line != 0;
    const double loads = static_cast<double>(rows + vectors * (crosses ? 2 : 1));
    // Short tiles overlap: the next has begun before the sums of this one are ready.
    const double alone = std::min(1.0, k * (sums + loads) / instructions_in_flight);
    const double fetch = b_cycles + missed_a(rows, vectors) * line_of_a;
    const double begun = (sums + loads + loop_instructions) / target_.issue;
    const double step =
        std::max({sums / per_cycle, loads / per_cycle, begun, alone * latency, fetch});
    return k * step + alone * tile_overhead + 0.5 * sums;
  }

  // Lines of A that every step over k has to get from the second cache.
  double missed_a(int64_t rows, int64_t vectors) const {
    const double b = static_cast<double>(b_lines(vectors)), a = a_lines(rows);
    return static_cast<double>(shape_.k * line) * (a + b) <= l1() ? 0 : a;
  }

  double l1() const { return static_cast<double>(target_.l1_bytes); }

  // How much of B is not in the first cache to begin with.
  double share_that_is_near() const {
    const auto all = static_cast<double>(shape_.k * shape_.n * shape_.element_bytes);
    return std::clamp(all / l1() - 1, 0.0, 1.0);
  }

  int64_t b_stride(int64_t vectors) const {
    if (tile_.packed) return vectors * tile_.lanes * shape_.element_bytes;
    return (shape_.b_stride ? shape_.b_stride : shape_.n) * shape_.element_bytes;
  }

  // Vectors that do not start at a line touch one more.
  int64_t b_lines(int64_t vectors) const {
    const int64_t bytes = vectors * tile_.lanes * shape_.element_bytes;
    return (bytes + line - 1) / line + (b_stride(vectors) % line != 0 ? 1 : 0);
  }

  double a_lines(int64_t rows) const {
    const auto bytes = static_cast<double>(rows * shape_.element_bytes);
    return shape_.a_rows_contiguous ? 1 + bytes / line : bytes / line;
  }

  double from_near(int64_t vectors) const {
    const double pages = std::min(1.0, static_cast<double>(b_stride(vectors)) / page);
    return near_run + target_.new_page * pages + near_line * static_cast<double>(b_lines(vectors));
  }

  // What a step over k has to wait for the panel that the last tile has used.
  double cycles_of_b(int64_t vectors) const {
    const int64_t l1_ways = std::max<int64_t>(target_.l1_bytes / page, 1);
    if (share_that_stays(vectors, {target_.l1_bytes, l1_ways, l1_ways}) == 1) return 0;
    // What A streams through the second cache drives the panel out.
    const bool streams = 2 * shape_.m * shape_.k * shape_.element_bytes > target_.l2_bytes;
    const double stays = share_that_stays(vectors, {target_.l2_bytes, 16, target_.l2_ways});
    const double near = stays == 1 ? 1 : streams ? 0 : target_.l2_share * stays;
    return near * from_near(vectors) +
           (1 - near) * target_.far_line * static_cast<double>(b_lines(vectors));
  }

  // How much of the panel of one tile is still in a cache for the next: rows of B that are a
  // multiple of a power of two apart use a part of it only.
  double share_that_stays(int64_t vectors, const Level& level) const {
    const int64_t sets = level.bytes / (line * level.ways), stride = b_stride(vectors);
    int64_t period = 1;  // rows of B come back to the same set after this many
    while (period < sets && (period * stride) % (sets * line) != 0) period *= 2;
    const int64_t in_set = (std::min(period, shape_.k) * b_lines(vectors) + sets - 1) / sets;
    const int64_t rounds = (shape_.k + period - 1) / period;
    return std::min(1.0,
                    static_cast<double>(level.ways_for_b) / static_cast<double>(in_set * rounds));
  }

  const TileShape& shape_;
  const Tile& tile_;
  const Target& target_;
};

}  // namespace

double tile_cycles(const TileShape& shape, const Tile& tile, const Target& target) {
  return Cost(shape, tile, target).cycles();
}

namespace {

// Whether tiles of so many rows and of these panels leave no rest.
bool of_one_size(const TileShape& shape, int64_t rows, const Panels& panels, int lanes) {
  const bool full = panels.size() == 1 || shape.n % lanes == 0;
  return shape.m % rows == 0 && panels.equal() && full;
}

// Whether no tile reaches from one panel of B into the next.
bool divide_panel(const Panels& panels, int lanes) {
  return panels.equal() && panel_width % (panels.front() * lanes) == 0;
}

bool of_whole_blocks(const Panels& panels, int lanes) {
  return (panels.front() * lanes) % logical_lanes == 0 &&
         (panels.back() * lanes) % logical_lanes == 0;
}

}  // namespace

bool can_be_shared(const TileShape& shape, const Panels& panels, int lanes) {
  return lanes > 1 && shape.n == panels.count * panels.front() * lanes &&
         panels.count % shape.sharers == 0;
}

namespace {

// A tile packed and not, its rest row by row and, if there are several rows of it, as one tile.
void add_candidates(const TileShape& shape, const Tile& tile, std::vector<Tile>& list) {
  for (const int64_t rest : {int64_t{1}, shape.m % tile.rows}) {
    if (rest == 0 || (rest == 1 && shape.m % tile.rows == 1)) continue;
    for (const bool packed : {false, true}) {
      if (packed ? !shape.packable : shape.turned) continue;
      list.push_back(tile);
      list.back().packed = packed;
      list.back().rest = rest;
    }
  }
}

}  // namespace

std::vector<Tile> tile_candidates(const TileShape& shape, const Target& target) {
  const int lanes = shape.n == 1 ? 1 : target.lanes(shape.element_bytes);
  const int64_t vectors = (shape.n + lanes - 1) / lanes;
  std::vector<Tile> list;
  for (int64_t width = 1; width <= std::min<int64_t>(vectors, 12); ++width) {
    const Panels panels{vectors, (vectors + width - 1) / width};
    if (!list.empty() && list.back().panels == panels) continue;
    const int64_t widest = panels.front();
    for (int64_t rows = 1; rows <= std::min<int64_t>(shape.m, 28); ++rows) {
      if (rows * widest + widest + 1 > target.registers) break;
      if (shape.in_panels && !divide_panel(panels, lanes)) continue;
      if (shape.turned && !of_whole_blocks(panels, lanes)) continue;
      if (shape.equal && !of_one_size(shape, rows, panels, lanes)) continue;
      if (shape.sharers > 1 && !can_be_shared(shape, panels, lanes)) continue;
      add_candidates(shape, {rows, lanes, panels}, list);
    }
  }
  return list;
}

namespace {

Tile cheapest(const TileShape& shape, const Target& target) {
  const auto list = tile_candidates(shape, target);
  const Tile* best = nullptr;
  double best_cycles = 0;
  for (const Tile& tile : list) {
    if (target.forced_rows > 0 &&
        (tile.rows != target.forced_rows || tile.panels.front() != target.forced_vectors ||
         tile.packed != target.forced_packing ||
         (target.forced_rest > 0 && tile.rest != target.forced_rest)))
      continue;
    const double cycles = tile_cycles(shape, tile, target);
    if (best && cycles >= best_cycles) continue;
    best = &tile;
    best_cycles = cycles;
  }
  return best ? *best : list.front();
}

}  // namespace

// Fusion, planning and lowering ask for the same few shapes several times over.
Tile choose_tile(const TileShape& shape, const Target& target) {
  struct Choice {
    TileShape shape;
    Target target;
    Tile tile;
  };
  constexpr size_t most = 256;
  thread_local std::vector<Choice> known;
  const auto found = std::find_if(known.begin(), known.end(), [&](const Choice& choice) {
    return choice.shape == shape && choice.target == target;
  });
  if (found != known.end()) return found->tile;
  if (known.size() == most) known.clear();
  known.push_back({shape, target, cheapest(shape, target)});
  return known.back().tile;
}

}  // namespace nnc::kernel
