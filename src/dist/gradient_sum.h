// The gradient of a step: the sum of the replicas' own, in the order of dist/sum_tree.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/workers.h"
#include "dist/owners.h"
#include "dist/shares.h"
#include "dist/sum_tree.h"
#include "network/gradients.h"
#include "unroll/network.h"
#include "unroll/ranks.h"

namespace unroll {

// What decides how large gradients are, and how they are dealt.
struct GradientShape {
  const NetworkConfig& config;
  std::int64_t replica_rows = 0;  // symbols of a replica's largest window
  std::int64_t samples = 0;       // of a sampled softmax
  std::int64_t replicas = 1;      // R
  bool levels_stay = true;        // backward() tells of levels that are complete (network/network.h: GradientsReady)
};

// Takes the gradients of this rank's replicas one after the other, adds them, and finishes the tree with other ranks:
//
//   each rank sends each owner its part of the dense sums (nodes of the tree), and everybody the rows that it has;
//   the owner adds them up; rows are added up by everybody
//
// So dense sums are complete with their owner alone, rows everywhere. One thread at a time.
class GradientSum {
 public:
  // `workers` and `ranks` must outlive it. Throws Error{kMemory}.
  GradientSum(const GradientShape& shape, Workers& workers, Ranks& ranks);

  // Bytes that the constructor allocates on a rank of P.
  static std::int64_t bytes(const GradientShape& shape, int P, int rank);

  // Where the next replica of this rank adds its gradient: zero.
  [[nodiscard]] Gradients& next();
  // Of that gradient, dense() is complete from the first tensor of this level on (Gradients::first_of_level). Where it
  // is the last of this rank, that part begins to travel. For smaller and smaller levels, or never.
  void ready(std::int64_t level);
  // All of that gradient is complete.
  void add();
  // The sum over all replicas, once all of this rank were added: of dense() the part owners().mine(). It stays until
  // next(). Throws Error{kPeer}.
  Gradients& finish();

  [[nodiscard]] const Owners& owners() const noexcept { return owners_; }
  // Sets all of the last sum's dense(), where other ranks own parts of it. Every rank has to call it.
  void gather_dense();

 private:
  // A node of another rank, as it arrives.
  struct Arrival {
    int rank = 0;
    SumNode node;
    FloatBuffer dense;  // what this rank owns of it
    struct Rows {
      std::vector<std::int32_t> ids;
      std::vector<float> values;
    };
    std::vector<Rows> rows;  // by the matrices of Gradients::rows()
  };

  using Rows = std::unique_ptr<EmbeddingGradient>;

  void merge_dense(std::int64_t first, std::int64_t last);
  void start_dense(std::int64_t first, std::int64_t last);
  void start_counts();
  void start_rows();
  void sum_dense();
  void sum_rows();
  void sum_rows(std::size_t matrix);
  [[nodiscard]] std::vector<SumNode> nodes(int rank) const;
  [[nodiscard]] std::int64_t open_replica() const noexcept;
  [[nodiscard]] std::vector<Gradients*> final_nodes() const;

  Workers& workers_;
  Ranks& ranks_;
  std::int64_t replicas_;
  ShareRange mine_;  // replicas of this rank
  std::int64_t levels_;
  // The last level of which is told. Parts of dense() travel in the same order on every rank, level by level.
  std::int64_t last_level_;
  std::vector<std::unique_ptr<Gradients>> free_;
  std::unique_ptr<Gradients> open_;  // of the replica that adds now
  SumTree<std::unique_ptr<Gradients>> tree_;
  std::int64_t next_level_ = 0;  // the next to travel
  std::int64_t started_ = 0;     // from this place of dense() on, sums of this rank are complete and travel
  Owners owners_;
  std::vector<Arrival> arrivals_;              // by rank, and from left to right
  std::vector<std::int64_t> row_counts_;       // of all nodes by rank, and of each by matrix
  std::vector<std::vector<Rows>> spare_rows_;  // by matrix: memory for sums
};

}  // namespace unroll
