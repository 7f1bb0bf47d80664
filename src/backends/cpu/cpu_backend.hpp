// The native CPU backend: own kernels over weights packed once, one arena a session, one thread pool.
#pragma once

#include <memory>

#include "backends/backend.hpp"

namespace accelerate::cpu {

std::unique_ptr<Backend> make_backend();

}  // namespace accelerate::cpu
