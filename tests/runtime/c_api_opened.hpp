// A golden folder opened by the C interface.
#pragma once

#include <gtest/gtest.h>

#include "accelerate/accelerate.h"
#include "runtime/goldens.hpp"

namespace accelerate {

struct Opened {
  explicit Opened(const char* name) {
    EXPECT_EQ(accelerate_model_open(model_folder(name).c_str(), nullptr, &model), ACCELERATE_OK)
        << accelerate_last_error();
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() { accelerate_model_free(model); }
  accelerate_model* model = nullptr;
};

}  // namespace accelerate
