// What every test includes.
#pragma once

#include <gtest/gtest.h>

#include "headers_of_layers.hpp"
