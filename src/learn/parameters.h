// Reading a learner's parameters, with errors that name the known ones. Private to the room.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "learn/learner.h"

namespace dropscore::learn {

/// The learner's defaults with `given` laid over them. Errors: `misuse`, a name that the learner does not know.
Result<Parameters> with_defaults(const Learner& learner, const Parameters& given);

/// Parameter `name` as a finite decimal number over 0. REQUIRES: it is there. Errors: `misuse`.
Result<double> positive_number(const Learner& learner, const Parameters& parameters, const std::string& name);

/// An error that names the learner, the parameter and what it was set to: "svm.C=0: not a number over 0".
tl::unexpected<Error> bad_parameter(const Learner& learner, const Parameters& parameters, const std::string& name,
                                    std::string_view what);

}  // namespace dropscore::learn
