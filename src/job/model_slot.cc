#include "job/model_slot.h"

#include <atomic>
#include <utility>

#include "model/model.h"

namespace dropscore::job {

std::size_t ModelSlot::seat_of_this_thread() {
  static std::atomic<std::size_t> next = 0;
  thread_local const std::size_t seat = next++ % seats;
  return seat;
}

std::shared_ptr<const model::Model> ModelSlot::model() const {
  Seat& seat = seats_[seat_of_this_thread()];
  const std::lock_guard lock(seat.mutex);
  return seat.model;
}

void ModelSlot::replace(const std::shared_ptr<const model::Model>& model) {
  for (Seat& seat : seats_) {
    // A count of its own for each seat: one for all would go from core to core with each request.
    std::shared_ptr<const model::Model> own(model.get(), [keep = model](const model::Model*) {});
    const std::lock_guard lock(seat.mutex);
    seat.model.swap(own);
  }  // what the seat held goes once its lock is free
}

}  // namespace dropscore::job
