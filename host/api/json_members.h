// The model's JSON cutters under the names that the routes use. See store/model/json_members.h.
#pragma once

#include "store/model/json_members.h"

namespace perdure::api {

using store::find_member;
using store::json_elements;
using store::json_members;
using store::json_string;
using store::JsonMember;
using store::trimmed;

}  // namespace perdure::api
