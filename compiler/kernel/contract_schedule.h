// How a contraction over rows of a tile is cut: its register tile, blocks of the sum, and what
// threads share. Depends on shapes and the target alone.
#pragma once

#include "compiler/kernel/chains.h"
#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/lower_group.h"
#include "compiler/kernel/tile.h"

namespace nnc::kernel {

// `block` > 0: so many steps of the outermost summed loop (if it is 1, maybe only `part` steps of
// the next one) are taken with all tiles before the next ones; threads share the tiles.
struct ContractSchedule {
  Tile tile;
  bool by_columns = false;  // whether threads share the columns rather than the rows
  bool along_rows = false;  // if they do: whether tiles go along the rows of the result first
  bool by_panels = false;   // whether they share panels of the result, each a matrix of its own
  int64_t block = 0, part = 0;
  // Whether the epilogue takes the rows of a tile as one run of elements, or one after the other in
  // a loop (`looped`), and where in the scratch memory the sums wait for it.
  bool flat = false, looped = false;
  // Whether it takes the vectors of a tile one by one between the sums of the next tile.
  bool between = false;
  int64_t sums_place = 0;
  Chains chains;             // of the summed loops
  int64_t chains_place = 0;  // in the scratch memory
};

// Vectors of a full tile.
int64_t tile_vectors(const ContractSchedule& schedule);

int64_t elements_of_result(const ContractionMap& map);

ContractSchedule schedule_of(const GroupContext& context, const ContractionMap& map);

// Tiles of a product that is taken by blocks, all of one size.
int64_t block_units(const ContractSchedule& schedule, const ContractionMap& map);

// Rows that one thread is expected to have.
int64_t expected_rows(const ir::Dim& m, int64_t batch, int64_t threads);

// Whether the epilogue reads this parameter of the group's region at every element of the result.
bool epilogue_operand(const GroupContext& context, const ContractionMap& map, size_t parameter);

// Whether the epilogue is so long that its code is written once and run in a loop, rather than once
// for each of `vectors` vectors of a tile: compiling it would take longer than anything else. In
// steps, which somebody waits for and which the loop costs less than a hundredth (prediction loses
// several, and so do sums of a few elements); and everywhere if the loop is nothing beside it.
bool epilogue_loops(const GroupContext& context, const ContractionMap& map, int64_t vectors);

// How many vectors it takes side by side: what a long one waits for is time for the others.
int64_t vectors_at_once(const GroupContext& context);

// The roots that the epilogue takes of every element.
std::vector<const ir::Value*> epilogue_roots(const GroupContext& context);

int bytes_of_element(const GroupContext& context);

}  // namespace nnc::kernel
