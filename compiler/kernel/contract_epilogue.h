// What becomes of the finished sums of a tile: the group's elementwise nodes, and its outputs.
#pragma once

#include <functional>
#include <vector>

#include "compiler/kernel/contract_places.h"
#include "compiler/kernel/contract_schedule.h"

namespace nnc::kernel {

// A tile of the result, or a part of one.
struct TileAt {
  std::vector<Value> outer;  // where the loops around the tile stand
  Value m;                   // its first row
  int64_t rows = 1;
  Coordinate column;  // its first column
  int64_t vectors = 1;
  Value mask;            // of the last vector of each row; absent: it is full
  int64_t multiple = 1;  // of which m is one
};

class ContractEpilogue {
 public:
  ContractEpilogue(KernelScope& s, const ContractionMap& map, const ContractSchedule& schedule);

  // Asks for what will be read (weights and moments of an update) before the sums, which take
  // longer than the memory does.
  void fetch(const TileAt& tile) const;

  void finish(const TileAt& tile, std::vector<Value> sums) const;

  // One vector of a tile.
  TileAt one_vector(const TileAt& tile, Value row, Value vector) const;

  // Lets the sums of a full tile wait in scratch memory …
  void keep(const std::vector<Value>& sums) const;
  // … until the roots of one vector of them are taken, which wait there, too …
  void take_roots(const TileAt& tile, Value row, Value vector) const;
  // … and the vector is finished.
  void finish_kept(const TileAt& tile, Value row, Value vector) const;

 private:
  // Where a vector of the tile lies in the result, and which of its lanes do.
  struct Spot {
    Coordinates place;
    Value mask;
  };

  std::vector<Spot> spots(const TileAt& tile) const;
  void fetch(const TileAt& tile, Value pointer, const ir::Type& type, bool to_write) const;
  std::vector<Spot> flat_spots(const TileAt& tile) const;
  std::vector<Value> flattened(const std::vector<Value>& sums, size_t count) const;
  bool is_flat(int64_t rows) const;
  Value kept(Value vector) const;
  void at_kept(const TileAt& tile, Value row, Value vector,
               const std::function<void(const TileAt&, Value)>& body) const;
  Value root_place(size_t i) const;
  void finish_kept_row(const TileAt& tile, Value row) const;

  KernelScope& s_;
  Builder& k_;
  const ContractionMap& map_;
  const ContractSchedule& schedule_;
  const Tile& tile_;
  Scalar scalar_;
  const std::vector<const ir::Value*> roots_;
  const ResultPlaces places_;
};

}  // namespace nnc::kernel
