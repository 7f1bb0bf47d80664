// Whether this process's resident size says anything about what a test did.
#pragma once

namespace accelerate {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ACCELERATE_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define ACCELERATE_THREAD_SANITIZER
#endif

#ifdef ACCELERATE_THREAD_SANITIZER
constexpr bool kResidentSizeCounts = false;
#else
constexpr bool kResidentSizeCounts = true;
#endif
constexpr const char* kResidentSizeOff = "the thread sanitizer keeps memory of its own for what is touched";

}  // namespace accelerate
