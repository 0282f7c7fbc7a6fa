// The model that answers now, changed while others use it. docs/decisions/0019-changing-models.md
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "job/scorer.h"

namespace dropscore::job {

/// Thread-safe. Whoever asked keeps the model that it was given for as long as it wants; the last one to let go of a
/// model that was replaced frees it.
class ModelSlot {
 public:
  /// REQUIRES: model != nullptr, here and in replace().
  explicit ModelSlot(const std::shared_ptr<const model::Model>& model) { replace(model); }
  ModelSlot(const ModelSlot&) = delete;
  ModelSlot& operator=(const ModelSlot&) = delete;

  /// For one request or one file, from its beginning to its end. Cheap enough for every request: threads do not wait
  /// for each other, and share no count of references.
  Scorer scorer() const { return Scorer(model()); }
  std::shared_ptr<const model::Model> model() const;

  /// Whoever asks once this has returned gets the new model. One thread at a time.
  void replace(const std::shared_ptr<const model::Model>& model);

 private:
  // A seat is one thread's own as long as there are not more threads than seats, so its lock is free but for the moment
  // in which a model is replaced.
  static constexpr std::size_t seats = 64;
  struct alignas(64) Seat {
    std::mutex mutex;
    std::shared_ptr<const model::Model> model;
  };
  static std::size_t seat_of_this_thread();

  mutable std::array<Seat, seats> seats_;
};

}  // namespace dropscore::job
